// The least that a ttRPC server in Node can do: cuts frames and answers each with the bytes of a Check's answer,
// without looking into it. What the agent costs beyond this is ours; what this costs is Node's.
//
//   node scripts/bench/echo.ts SOCKET
import { createServer, type Socket } from "node:net";

const headerBytes = 10;
const responseType = 2;
/** Response { payload = HealthCheckResponse { status = SERVING } }. */
const serving = Buffer.from([0x12, 0x02, 0x08, 0x01]);

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const ids: number[] = [];
    let at = 0;
    while (at + headerBytes <= bytes.length) {
      const end = at + headerBytes + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      ids.push(bytes.readUInt32BE(at + 4));
      at = end;
    }
    rest = bytes.subarray(at);
    if (ids.length > 0) socket.write(answers(ids));
  });
}

function answers(ids: readonly number[]): Buffer {
  const frameBytes = headerBytes + serving.length;
  const out = Buffer.alloc(ids.length * frameBytes);
  let at = 0;
  for (const id of ids) {
    out.writeUInt32BE(serving.length, at);
    out.writeUInt32BE(id, at + 4);
    out[at + 8] = responseType;
    out.set(serving, at + headerBytes);
    at += frameBytes;
  }
  return out;
}

createServer(serve).listen(process.argv[2]);
