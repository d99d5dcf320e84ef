/** A mistake on the command line or in a file, in words for the person who made it. */
export class UsageError extends Error {}
