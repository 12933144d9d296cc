// @ts-check
/* Buttons and the like, above and below drawings. */

/**
 * @param {string} [label] makes it a group of that name
 */
export function makeBar(label) {
  const bar = document.createElement("div");
  bar.className = "autogradgraph-controls";
  if (label !== undefined) {
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", label);
  }
  return bar;
}

/**
 * @param {HTMLElement} parent
 * @param {string} text
 * @param {(button: HTMLButtonElement) => void} action
 */
export function addButton(parent, text, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", () => action(button));
  parent.append(button);
  return button;
}

/**
 * Add a place whose words screen readers say when they change.
 * @param {HTMLElement} parent
 */
export function addStatus(parent) {
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  parent.append(status);
  return status;
}
