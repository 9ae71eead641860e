/** Nobody answers at the agent's address: exit status 3. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
}
