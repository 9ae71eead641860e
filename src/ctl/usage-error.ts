/** The command line cannot be understood or names something that is not there on our side: exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
