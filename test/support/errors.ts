import { SessionPolicyError } from "../../src/index.ts";

/** The error that `run` throws, as code and places, for one-line expectations. */
export function faultOf(run: () => unknown): { code: string; paths: string[]; message: string } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SessionPolicyError)) throw error;
    const paths = error.issues.map(({ path }) => path.join("."));
    return { code: error.code, paths, message: error.message };
  }
  return { code: "none", paths: [], message: "" };
}
