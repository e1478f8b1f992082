// Bundle the parts of ECharts that entry.js names, minified, with licences and a manifest of versions and hashes.
// The same versions give the same bytes. Usage: npm install --no-package-lock && node build.mjs
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const BUNDLE = "echarts.min.js";
const LICENSES = {
  echarts: "LICENSE",
  "echarts (d3)": "licenses/LICENSE-d3",
  zrender: "LICENSE",
  tslib: "LICENSE.txt",
};
const here = (name) => new URL(name, import.meta.url);
const text = (name) => readFileSync(here(name), "utf8");
const installed = (name, file) => text(`node_modules/${name.split(" ")[0]}/${file}`);

const pinned = JSON.parse(text("package.json"));
const versions = { ...pinned.dependencies, ...pinned.devDependencies };
for (const [name, version] of Object.entries(versions)) {
  const found = JSON.parse(installed(name, "package.json")).version;
  if (found !== version) throw new Error(`${name} ${found} is installed, and package.json asks for ${version}.`);
}
await build({
  absWorkingDir: new URL(".", import.meta.url).pathname,
  entryPoints: ["entry.js"],
  outfile: BUNDLE,
  bundle: true,
  minify: true,
  charset: "ascii",
  format: "iife",
  globalName: "echarts",
  target: "es2020",
  legalComments: "none",
  banner: { js: `/* Apache ECharts ${versions.echarts}, parts of it; licences: LICENSE and NOTICE beside this file */` },
});
const licenses = Object.entries(LICENSES).map(
  ([name, file]) => `${"=".repeat(72)}\n${name}\n${"=".repeat(72)}\n\n${installed(name, file).trim()}\n`,
);
writeFileSync(here("LICENSE"), licenses.join("\n"));
writeFileSync(here("NOTICE"), `${installed("echarts", "NOTICE").trim()}\n`);
const bundle = readFileSync(here(BUNDLE));
const manifest = {
  file: BUNDLE,
  bytes: bundle.length,
  sha256: createHash("sha256").update(bundle).digest("hex"),
  versions,
};
writeFileSync(here("manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
