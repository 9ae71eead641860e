import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/**
 * Where to listen or connect. `cid` of `anyCid` listens for all. `hybrid` is a VSOCK port of a guest behind the unix
 * socket of its VMM: dialling it does the `CONNECT` handshake, listening on it means `<path>_<port>`
 * (wire-and-tracing 2.2, 2.3).
 */
export type Address =
  | { kind: "unix"; path: string }
  | { kind: "abstract"; name: string }
  | { kind: "vsock"; cid: number; port: number }
  | { kind: "tcp"; host: string; port: number }
  | { kind: "hybrid"; path: string; port: number };

/** `VMADDR_CID_ANY`, written `-1`. */
export const anyCid = 0xffffffff;
/** Those below are the hypervisor, the loopback, and the host. */
export const firstGuestCid = 3;
const maxPort = 0xffffffff;
const maxTcpPort = 0xffff;
const defaultHttpPort = 80;
/** `sun_path` without its ending NUL. */
const maxPathBytes = 107;

function invalid(text: string, why: string): AgentError {
  return new AgentError(Code.invalidArgument, `invalid address ${JSON.stringify(text)}: ${why}`);
}

function numberUpTo(digits: string, max: number, text: string, what: string): number {
  const value = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
  if (value <= max) return value;
  throw invalid(text, `bad ${what}`);
}

/** Cuts at the last colon, because paths and IPv6 hosts hold colons themselves. */
function splitPort(rest: string, text: string): [host: string, port: string] {
  const colon = rest.lastIndexOf(":");
  if (colon < 0) throw invalid(text, "no port");
  return [rest.slice(0, colon), rest.slice(colon + 1)];
}

function socketPath(path: string, text: string): string {
  if (!path.startsWith("/")) throw invalid(text, "the path must be absolute");
  if (Buffer.byteLength(path) > maxPathBytes) throw invalid(text, `more than ${maxPathBytes} bytes`);
  if (path.includes("\0")) throw invalid(text, "NUL in it");
  return path;
}

function unixAddress(rest: string, text: string): Address {
  if (!rest.startsWith("@")) return { kind: "unix", path: socketPath(rest, text) };
  const name = rest.slice(1);
  if (name === "" || Buffer.byteLength(name) > maxPathBytes || name.includes("\0"))
    throw invalid(text, "bad name");
  return { kind: "abstract", name };
}

function vsockAddress(rest: string, text: string): Address {
  const [cidText, portText] = splitPort(rest, text);
  const cid = cidText === "-1" ? anyCid : numberUpTo(cidText, anyCid, text, "cid");
  return { kind: "vsock", cid, port: numberUpTo(portText, maxPort, text, "port") };
}

function tcpAddress(rest: string, text: string): Address {
  const [hostText, portText] = splitPort(rest, text);
  const host = hostText.replace(/^\[(.*)\]$/, "$1");
  if (host === "" || /[\s/\0]/.test(host)) throw invalid(text, "bad host");
  return { kind: "tcp", host, port: numberUpTo(portText, maxTcpPort, text, "port") };
}

function httpAddress(rest: string, text: string): Address {
  const authority = rest.replace(/\/$/, "");
  return tcpAddress(/:\d+$/.test(authority) ? authority : `${authority}:${defaultHttpPort}`, text);
}

function hybridAddress(rest: string, text: string): Address {
  const [path, portText] = splitPort(rest, text);
  return {
    kind: "hybrid",
    path: socketPath(path, text),
    port: numberUpTo(portText, maxPort, text, "port"),
  };
}

const schemes: ReadonlyMap<string, (rest: string, text: string) => Address> = new Map([
  ["unix", unixAddress],
  ["vsock", vsockAddress],
  ["tcp", tcpAddress],
  ["http", httpAddress],
  ["hvsock", hybridAddress],
]);

/**
 * Reads an address (wire-and-tracing 2.1): `unix:///path`, `unix://@name`, `vsock://CID:PORT` (CID −1 = any),
 * `tcp://host:port`, `http://host[:port]`, `hvsock:///path:port`.
 * @throws INVALID_ARGUMENT with the reason.
 */
export function parseAddress(text: string): Address {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  const parse = schemes.get(scheme);
  if (parse === undefined) throw invalid(text, "unknown scheme");
  return parse(rest, text);
}

/** The text {@link parseAddress} would read. */
export function formatAddress(address: Address): string {
  switch (address.kind) {
    case "unix":
      return `unix://${address.path}`;
    case "abstract":
      return `unix://@${address.name}`;
    case "vsock":
      return `vsock://${address.cid === anyCid ? "-1" : address.cid}:${address.port}`;
    case "tcp":
      return `tcp://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
    case "hybrid":
      return `hvsock://${address.path}:${address.port}`;
  }
}
