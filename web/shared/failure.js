/** An error that no further try can mend; its message is one line for a person. */
export class Failure extends Error {}
