/**
 * What web/page/words/ has, and what the page uses of it: `node words.mjs WEB`. Prints, as JSON, `languages`: of each, by
 * the names of its words ("sidebar.today"), what stands there: {kind, text?, length, plurals}; `unused`: names of English
 * words that nothing speaks of; `missing`: names that index.html speaks of, and that are no words.
 */

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const web = process.argv[2];
const { default: ts } = await import(pathToFileURL(join(web, "node_modules/typescript/lib/typescript.js")));
const folder = join(web, "page", "words");
const files = readdirSync(folder).map((name) => join(folder, name));
const english = join(folder, "en.js");

const config = join(web, "page", "tsconfig.json");
const { options, fileNames } = ts.parseJsonConfigFileContent(ts.readConfigFile(config, ts.sys.readFile).config, ts.sys, join(web, "page"));
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();

/** The object that a file of words exports. */
function wordsIn(file) {
  let found;
  ts.forEachChild(program.getSourceFile(file), (node) => {
    if (ts.isVariableStatement(node)) found = node.declarationList.declarations[0].initializer;
  });
  return found;
}

/** Each word of an object in a file: its name, and its node. */
function* leaves(object, path = []) {
  for (const property of object.properties) {
    const name = [...path, property.name.text];
    if (ts.isObjectLiteralExpression(property.initializer)) yield* leaves(property.initializer, name);
    else yield [name.join("."), property];
  }
}

/** The forms that each call of `plural` gives. */
function plurals(node) {
  const found = [];
  const look = (inner) => {
    if (ts.isCallExpression(inner) && inner.expression.getText() === "plural")
      found.push(inner.arguments[1].properties.map(({ name }) => name.text));
    ts.forEachChild(inner, look);
  };
  look(node);
  return found;
}

const languages = {};
for (const file of files) {
  const { words } = await import(pathToFileURL(file));
  const told = (languages[basename(file, ".js")] = {});
  for (const [name, property] of leaves(wordsIn(file))) {
    const value = name.split(".").reduce((object, key) => object[key], words);
    const kind = Array.isArray(value) ? "list" : typeof value;
    const text = { string: value, list: JSON.stringify(value) }[kind];
    told[name] = { kind, text, length: kind === "string" ? 0 : value.length, plurals: plurals(property) };
  }
}

// What is used. An object of words that is not taken apart where it stands, is used whole.
const used = new Set();
const use = (symbol) => (symbol?.declarations ?? []).forEach(useNode);
const members = (type) => (type.isUnion() ? type.types : [type]);

/** A dictionary (its JSDoc gives a type) is looked up by what comes, and used whole. */
function useNode(node) {
  used.add(node);
  if (ts.isPropertyAssignment(node) && ts.isObjectLiteralExpression(node.initializer) && ts.getJSDocType(node))
    for (const [, property] of leaves(node.initializer)) used.add(property);
}

/** The objects of words that an expression may be. */
function objects(node) {
  const declared = members(checker.getTypeAtLocation(node)).flatMap(({ symbol }) => symbol?.declarations ?? []);
  return declared.filter((at) => at.getSourceFile().fileName === english && ts.isObjectLiteralExpression(at));
}

/** Whether an expression's parts, as far as they are used, are named where it goes to. */
function isTakenApart(node, parent) {
  if (ts.isPropertyAccessExpression(parent)) return true;
  if (ts.isElementAccessExpression(parent) && parent.expression === node)
    return members(checker.getTypeAtLocation(parent.argumentExpression)).every((type) => type.isStringLiteral());
  return (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent)) && parent.initializer === node;
}

function look(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(node)) use(checker.getSymbolAtLocation(node.name));
  if (ts.isElementAccessExpression(node))
    for (const { value } of members(checker.getTypeAtLocation(node.argumentExpression)))
      use(checker.getTypeAtLocation(node.expression).getProperty(String(value)));
  if (ts.isBindingElement(node) && ts.isObjectBindingPattern(parent))
    use(checker.getTypeAtLocation(parent).getProperty((node.propertyName ?? node.name).getText()));
  const isNamed = parent?.name === node || parent?.propertyName === node; // there it is declared, or the name of a part
  const isValue = ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
  if (isValue && !(isNamed && !ts.isShorthandPropertyAssignment(parent)) && !isTakenApart(node, parent))
    for (const [, property] of objects(node).flatMap((object) => [...leaves(object)])) used.add(property);
  ts.forEachChild(node, look);
}

for (const file of program.getSourceFiles())
  if (file.fileName.startsWith(web) && (file.fileName === english || !files.includes(file.fileName))) look(file);
const html = readFileSync(join(web, "index.html"), "utf-8");
const named = [...html.matchAll(/data-(?:text|label|hint|describe)="([^"]+)"/g)].map(([, name]) => name);
const unused = [...leaves(wordsIn(english))].filter(([name, node]) => !used.has(node) && !named.includes(name));
const missing = named.filter((name) => languages.en[name]?.kind !== "string");
console.log(JSON.stringify({ languages, unused: unused.map(([name]) => name), missing }));
