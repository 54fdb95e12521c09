// Evaluates expressions.json with openrosa-xpath-evaluator (Apache-2.0, enketo) in jsdom and writes reference.json.
//
//   npm install openrosa-xpath-evaluator@2.0.13 jsdom@26   (in a folder of your own)
//   TZ=UTC NODE_PATH=<that folder>/node_modules node make_reference.cjs
//
// ${name} becomes the path of the node with that name; '.' is the node age.
const fs = require('fs');
const path = require('path');
const { JSDOM } = require('jsdom');

const form = fs.readFileSync(path.join(__dirname, 'form.xml'), 'utf8');
const dom = new JSDOM(form, { contentType: 'application/xml' });
const { window } = dom;
const { Node, XPathResult, XPathEvaluator } = window;
Object.assign(globalThis, { window, document: window.document, Node, XPathResult, XPathEvaluator });
const openrosa = require('openrosa-xpath-evaluator');

const document = window.document;
const evaluator = openrosa();

const PATHS = { child_age: '/data/person/child_age', child_name: '/data/person/child_name' };
const paths = (text) => text.replace(/\$\{(\w+)\}/g, (_, name) => PATHS[name] || `/data/${name}`);
const context = document.querySelector('age');
const number = (x) => (Number.isFinite(x) ? x : String(x));

function evaluate(text) {
  const run = (type) => evaluator.evaluate(paths(text), context, null, type, null);
  try {
    return {
      string: run(XPathResult.STRING_TYPE).stringValue,
      number: number(run(XPathResult.NUMBER_TYPE).numberValue),
      boolean: run(XPathResult.BOOLEAN_TYPE).booleanValue,
    };
  } catch (error) {
    return { error: String(error.message || error).slice(0, 80) };
  }
}

const expressions = JSON.parse(fs.readFileSync(path.join(__dirname, 'expressions.json'), 'utf8'));
const version = require('openrosa-xpath-evaluator/package.json').version;
const lines = expressions.map((text) => JSON.stringify([text, evaluate(text)]));
const head = `{"source": "npm package openrosa-xpath-evaluator ${version}, node ${process.version}",\n"results": [\n`;
fs.writeFileSync(path.join(__dirname, 'reference.json'), `${head}${lines.join(',\n')}\n]}\n`);
