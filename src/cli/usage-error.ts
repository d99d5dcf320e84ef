/** What a person got wrong on the command line or in a file, in words for that person. */
export class UsageError extends Error {}
