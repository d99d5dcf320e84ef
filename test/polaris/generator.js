/**
 * Polaris' own policy generator, from the published polaris-core 1.7.0. Needs a JDK from 17 on, and
 * Maven, which fetches the jars once. It is JavaScript since the benchmark runs without a compiler.
 *
 * `startGenerator()` gives the policies of sessions, `timeGenerator(sessions)` its own time for each.
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { prepared } from "../support/prepared.js";

/**
 * @typedef {object} Session
 * @property {object} storageConfig the fields of AwsStorageConfigInfo up to Polaris 1.7.0.
 * @property {{ read?: readonly string[], list?: readonly string[], write?: readonly string[] }} locations
 *
 * @typedef {{ policy: string } | { error: string }} Answer
 * the text that Polaris sends to STS, or what it throws.
 */

const HERE = fileURLToPath(new URL(".", import.meta.url));
const MILLISECONDS = 1000;

/** @returns {string} the class path of the generator: jars from Maven Central. */
function jars() {
  const pom = `${HERE}java/pom.xml`;
  return `${prepared(`${HERE}.cache/jars`, [pom], (dir) => {
    // Polaris' parent is not published. In a repository of its own the stand-in harms nobody.
    const repository = `${HERE}.cache/repository`;
    const parent = `${repository}/org/apache/polaris/polaris/1.7.0/`;
    mkdirSync(parent, { recursive: true });
    cpSync(`${HERE}java/parent.pom`, `${parent}polaris-1.7.0.pom`);
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    const options = ["-DincludeScope=runtime", `-DoutputDirectory=${dir}`];
    execFileSync(
      "mvn",
      ["-q", "-B", `-Dmaven.repo.local=${repository}`, "-f", pom, goal, ...options],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
  })}*`;
}

/** Whether {@link startGenerator} can work here: there are a JDK and Maven. */
export function hasJava() {
  try {
    for (const command of ["javac", "mvn"])
      execFileSync(command, ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts the generator. It answers sessions one after the other.
 *
 * @returns a function that answers a session, and one that stops it.
 */
export function startGenerator() {
  if (!hasJava())
    throw new Error("Polaris' generator needs a JDK from 17 on, and Maven. Install both.");
  const java = spawn("java", ["-cp", jars(), `${HERE}java/Generator.java`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(java.stdout)[Symbol.asyncIterator]();
  /** @param {object} request */
  const ask = async (request) => {
    java.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error("Polaris' generator ended. What it printed before says why.");
    return JSON.parse(value);
  };
  return {
    /** @type {(session: Session) => Promise<Answer>} */
    answer: ({ storageConfig, locations }) => ask({ storageConfig, locations }),
    /** @type {(session: Session) => Promise<number>} */
    time: async ({ storageConfig, locations }) => {
      const { nanoseconds, error } = await ask({
        storageConfig,
        locations,
        milliseconds: MILLISECONDS,
      });
      if (error !== undefined) throw new Error(`Polaris refuses a session to measure: ${error}`);
      return nanoseconds;
    },
    stop: () => java.stdin.end(),
  };
}

/**
 * Measures the generator, policy and JSON: two rounds of a second for each session. The second counts,
 * since by then the code is compiled.
 *
 * @param {readonly Session[]} sessions
 * @returns {Promise<number[] | undefined>} for each session the median of nanoseconds a policy;
 * undefined where there is no JDK or no Maven.
 */
export async function timeGenerator(sessions) {
  if (!hasJava()) return undefined;
  const generator = startGenerator();
  try {
    let times = /** @type {number[]} */ ([]);
    for (let round = 0; round < 2; round++) {
      times = [];
      for (const session of sessions) times.push(await generator.time(session));
    }
    return times;
  } finally {
    generator.stop();
  }
}
