/** Calls about the guest's network: interfaces, routes, neighbours, packet filter. */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Routes } from "../gen/agent.ts";
import type { AgentService } from "../gen/methods.ts";
import { restorePacketFilter, savePacketFilter } from "../network/network-iptables.ts";
import { readLinks } from "../network/network-links.ts";
import { readRoutes } from "../network/network-routes.ts";
import type { Call } from "../rpc/call.ts";
import {
  interfaceFrom,
  interfaceMessage,
  neighborFrom,
  routeFrom,
  routeMessage,
} from "./network-messages.ts";
import type { Rooms } from "./rooms.ts";

type Calls = Pick<
  AgentService<Call>,
  | "UpdateInterface"
  | "UpdateRoutes"
  | "ListInterfaces"
  | "ListRoutes"
  | "AddARPNeighbors"
  | "GetIPTables"
  | "SetIPTables"
>;

/** The calls on the network (agent-api 3.18 to 3.22). */
export function networkCalls({ network, log }: Pick<Rooms, "network" | "log">): Calls {
  return {
    async UpdateInterface(request, call) {
      const message = required(request.interface, "interface");
      await doing("update interface", () => network.updateInterface(interfaceFrom(message), call.signal));
      return message;
    },
    async UpdateRoutes(request) {
      const wanted = required(request.routes, "routes").Routes;
      await doing("update routes", () => network.updateRoutes(wanted.map(routeFrom)));
      return allRoutes();
    },
    async ListInterfaces() {
      const links = await doing("list interfaces", readLinks);
      return { Interfaces: links.map(interfaceMessage) };
    },
    ListRoutes: allRoutes,
    async AddARPNeighbors(request) {
      const wanted = required(request.neighbors, "neighbors").ARPNeighbors;
      await doing("add ARP neighbors", () => network.addNeighbors(wanted.map(neighborFrom)));
      return {};
    },
    async GetIPTables({ is_ipv6 }) {
      return { data: await savePacketFilter(is_ipv6 ? 6 : 4, log) };
    },
    async SetIPTables({ is_ipv6, data }) {
      return { data: await restorePacketFilter(is_ipv6 ? 6 : 4, data) };
    },
  };
}

async function allRoutes(): Promise<Routes> {
  const routes = await doing("list routes", readRoutes);
  return { Routes: routes.map(routeMessage) };
}

/** Puts before an error what was being done. */
async function doing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw AgentError.from(error, what);
  }
}

function required<T>(message: T | undefined, name: string): T {
  if (message === undefined) throw new AgentError(Code.invalidArgument, `no ${name} in the request`);
  return message;
}
