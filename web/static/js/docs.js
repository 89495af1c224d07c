// The page of the API: the vendored viewer over our own OpenAPI document. It only shows: nothing can be
// sent from it, nothing is kept in the browser, and nothing is fetched from elsewhere.

const place = document.getElementById("viewer");
const words = JSON.parse(document.getElementById("viewer-words").textContent);

/** What the viewer's own layout gets wrong for who hears the page or walks it by keys: it puts a second
    `main` into ours, and a link into the button of each row. A row's address stands in the address
    bar once it is open. */
function ours({ React }) {
  const make = React.createElement;
  return {
    components: {
      DeepLink: ({ text }) => make("span", null, text),
      OurLayout: ({ getComponent }) => {
        const parts = ["SvgAssets", "errors", "FilterContainer", "operations"].map((name) =>
          make(getComponent(name, name !== "SvgAssets"), { key: name }),
        );
        return make("div", { className: "swagger-ui" }, make("div", { className: "wrapper" }, parts));
      },
    },
  };
}

window.SwaggerUIBundle({
  domNode: place,
  plugins: [ours],
  layout: "OurLayout",
  url: place.dataset.document,
  supportedSubmitMethods: [],
  validatorUrl: null,
  queryConfigEnabled: false,
  persistAuthorization: false,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  deepLinking: true,
  filter: true,
});

/** The viewer has no translations: whole texts of its own that are in the table are said by ours. */
function translate(node) {
  const said = words[node.nodeValue.trim()];
  if (said) node.nodeValue = said;
}

const FILTER = "input.operation-filter-input";

function look(root) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) translate(texts.currentNode);
  const box = root.querySelector?.(FILTER);
  if (box) box.placeholder = box.ariaLabel = place.dataset.filter;
}

new MutationObserver((changes) => {
  for (const { type, target, addedNodes } of changes) {
    if (type === "characterData") translate(target);
    for (const node of addedNodes) look(node.nodeType === Node.TEXT_NODE ? node.parentNode ?? node : node);
  }
}).observe(place, { subtree: true, childList: true, characterData: true });
