// Before npm publish, in the release workflow: names the repository that builds the package, which
// provenance needs, and makes README's links lead to the released files, as the registry shows README
// without them. The values are the workflow's own context.
// https://docs.npmjs.com/generating-provenance-statements
// https://docs.github.com/actions/reference/workflows-and-actions/variables
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** README with links to the files of a tag; pictures lead to the files themselves. */
export function withAbsoluteLinks(readme, repository, tag) {
  return readme.replace(/(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)/g, (_, mark, words, path) => {
    const kind = mark === "!" ? "raw" : "blob";
    return `${mark}[${words}](${repository}/${kind}/${tag}/${path})`;
  });
}

/** The package's manifest with its repository. */
export function withRepository(manifest, repository) {
  const { name, version, description, ...rest } = manifest;
  return {
    name,
    version,
    description,
    repository: { type: "git", url: `git+${repository}.git` },
    ...rest,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REF_NAME } = process.env;
  if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY || !GITHUB_REF_NAME) {
    throw new Error("This runs in the release workflow, where GitHub sets the variables it reads.");
  }
  const repository = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;
  const manifest = withRepository(JSON.parse(readFileSync("package.json", "utf8")), repository);
  writeFileSync("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  const readme = withAbsoluteLinks(readFileSync("README.md", "utf8"), repository, GITHUB_REF_NAME);
  writeFileSync("README.md", readme);
}
