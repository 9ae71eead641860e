import t from "tap";
import { OtlpConnection } from "../../src/trace/otlp-connection.ts";
import { memoryStreamPair } from "../fakes/memory-stream.ts";

const answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");

t.test("a connection that the receiver closed while idle is closed here before the next one", async (t) => {
  let opened = 0;
  let closed = 0;
  const connection = new OtlpConnection({
    async connect() {
      t.equal(closed, opened, "none is left open");
      opened++;
      const [ours, theirs] = memoryStreamPair();
      const close = ours.close.bind(ours);
      ours.close = async () => {
        closed++;
        await close();
      };
      theirs.start(
        () => {
          theirs.write(answer);
          theirs.end();
        },
        () => {},
      );
      return ours;
    },
    authority: "localhost",
    connectTimeoutMs: 1000,
    answerTimeoutMs: 1000,
  });
  for (let i = 0; i < 3; i++)
    t.match(await connection.send({ path: "/v1/traces", body: [Buffer.from("spans")] }), { status: "sent" });
  connection.close();
  connection.close();
  t.same({ opened, closed }, { opened: 3, closed: 3 });
});
