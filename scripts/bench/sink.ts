// A receiver that takes everything and looks at nothing: node scripts/bench/sink.ts; prints its port. Answers as soon as
// a request has ended, told by its length.
import { createServer } from "node:net";

const answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
const server = createServer((socket) => {
  let left = 0;
  let head = "";
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (left === 0) {
        head += rest.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        rest = rest.subarray(rest.length - (head.length - end - 4));
        head = "";
      }
      const taken = Math.min(left, rest.length);
      left -= taken;
      rest = rest.subarray(taken);
      if (left === 0) socket.write(answer);
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
});
