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

/** Returns the path of a Python that has the pinned packages. */
export function python(): string {
  const requirements = `${HERE}python/requirements.txt`;
  const dir = prepared(`${CACHE}python`, [requirements], (dir) => {
    if (!has("python3")) {
      if (!mayInstall()) throw new Error("The Python engines need python3 and its venv module.");
      installPackages(["python3", "python3-venv"]);
    }
    run("python3", "-m", "venv", `${dir}venv`);
    run(`${dir}venv/bin/pip`, "install", "--quiet", "-r", requirements);
  });
  return `${dir}venv/bin/python`;
}

/** Installs a JDK and Maven where that is possible. Returns what is lacking, if anything is. */
export function lacksJava(): string | undefined {
  const isThere = () => ["java", "javac", "mvn"].every(has);
  if (!isThere() && mayInstall()) {
    try {
      installPackages(["openjdk-17-jdk-headless", "maven"]);
    } catch {
      // What is still lacking is told below.
    }
  }
  return isThere() ? undefined : "it needs a JDK from 17 on, and Maven";
}

/** Returns what starts a Java program with the jars of a pom from Maven Central, compiled here. */
export function java(program: string, pomFile: string): string[] {
  const pom = `${HERE}java/${pomFile}`;
  const jars = prepared(`${CACHE}${pomFile.replace(".xml", "")}`, [pom], (dir) => {
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    run("mvn", "-q", "-B", "-f", pom, goal, "-DincludeScope=runtime", `-DoutputDirectory=${dir}`);
  });
  const sources = [`${HERE}java/${program}.java`, `${HERE}java/Harness.java`];
  const classes = prepared(`${CACHE}${program}`, [...sources, pom], (dir) => {
    run("javac", "-nowarn", "-d", dir, "-cp", `${jars}*`, ...sources);
  });
  const options = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  return ["java", ...options, ...OPENED, "-cp", `${classes}:${jars}*`, program];
}

/**
 * What Spark opens of Java's modules.
 * https://github.com/apache/spark/blob/v4.1.3/launcher/src/main/java/org/apache/spark/launcher/JavaModuleOptions.java
 */
const OPENED = [
  "java.lang",
  "java.lang.invoke",
  "java.lang.reflect",
  "java.io",
  "java.net",
  "java.nio",
  "java.util",
  "java.util.concurrent",
  "java.util.concurrent.atomic",
  "sun.nio.ch",
  "sun.nio.cs",
  "sun.security.action",
  "sun.util.calendar",
].map((opened) => `--add-opens=java.base/${opened}=ALL-UNNAMED`);
