/** What engines need, in a folder that git ignores: a venv from PyPI, jars from Maven Central. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { has, installPackages, mayInstall } from "../support/machine.ts";
import { prepared } from "../support/prepared.js";

export const HERE = fileURLToPath(new URL(".", import.meta.url));
const CACHE = `${HERE}.cache/`;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

function cached(name: string, pinned: string, prepare: (dir: string) => void): string {
  return prepared(`${CACHE}${name}`, pinned, prepare);
}

/** Returns the path of a Python that has the pinned packages. */
export function python(): string {
  const requirements = `${HERE}python/requirements.txt`;
  const dir = cached("python", requirements, (dir) => {
    if (!has("python3")) {
      if (!mayInstall()) throw new Error("The Python engines need python3 and its venv module.");
      installPackages(["python3", "python3-venv"]);
    }
    run("python3", "-m", "venv", `${dir}venv`);
    run(`${dir}venv/bin/pip`, "install", "--quiet", "-r", requirements);
  });
  return `${dir}venv/bin/python`;
}

/** Returns what starts the program against Iceberg's Java API: jars from Maven Central, compiled here. */
export function java(): string[] {
  const pom = `${HERE}java/pom.xml`;
  const jars = cached("java", pom, (dir) => {
    if (!["javac", "mvn"].every(has)) {
      if (!mayInstall()) throw new Error("The Java API needs a JDK from 17 on, and Maven.");
      installPackages(["openjdk-17-jdk-headless", "maven"]);
    }
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    run("mvn", "-q", "-B", "-f", pom, goal, "-DincludeScope=runtime", `-DoutputDirectory=${dir}`);
  });
  const source = `${HERE}java/JavaApi.java`;
  const classes = cached("classes", source, (dir) => {
    run("javac", "-nowarn", "-d", dir, "-cp", `${jars}*`, source);
  });
  const options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  return ["java", ...options, "-cp", `${classes}:${jars}*`, "JavaApi"];
}
