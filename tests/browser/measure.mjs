// Runs inside the page: geometry that no accessibility rule looks at. Returns pairs of kind and detail.
//
// It must be one function without outside names, because it is sent to the browser as text.
export function measure() {
  const MIN_TEXT_PX = 10.5;
  const problems = [];
  const scroller = document.scrollingElement;
  if (scroller.scrollWidth > window.innerWidth) {
    const wide = [...document.querySelectorAll('body *')]
      .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 1)
      .slice(-3)
      .map((node) => `${node.tagName.toLowerCase()}.${[...node.classList].join('.')}`);
    problems.push(['horizontal scroll', `${scroller.scrollWidth} px; ${wide.join(', ')}`]);
  }
  const ids = new Set();
  for (const { id } of document.querySelectorAll('[id]')) {
    if (ids.has(id)) problems.push(['duplicate id', id]);
    ids.add(id);
  }
  if (document.querySelectorAll('h1').length !== 1) {
    problems.push(['headings', `${document.querySelectorAll('h1').length} h1 elements`]);
  }
  if (document.querySelector('[style]')) problems.push(['style attribute', document.querySelector('[style]').tagName]);
  for (const text of document.body.innerText.match(/\b(NaN|undefined|Infinity|null)\b/g) ?? []) {
    problems.push(['programmer word', text]);
  }
  for (const chart of document.querySelectorAll('svg')) {
    const frame = chart.getBoundingClientRect();
    if (!frame.width) continue;
    const name = chart.getAttribute('aria-labelledby') ?? chart.closest('[id]')?.id ?? chart.parentElement.className;
    const labels = [...chart.querySelectorAll('text')]
      .map((node) => ({ node, words: node.textContent, box: node.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0);
    const scale = chart.viewBox.baseVal?.width ? frame.width / chart.viewBox.baseVal.width : 1;
    for (const { node, words, box } of labels) {
      const cut = box.left < frame.left - 1 || box.right > frame.right + 1.5
        || box.top < frame.top - 3 || box.bottom > frame.bottom + 3;
      if (cut) problems.push(['cut chart text', `${name}: ${words}`]);
      const size = parseFloat(getComputedStyle(node).fontSize) * scale;
      if (size < MIN_TEXT_PX) problems.push(['small chart text', `${name}: ${words} at ${size.toFixed(1)} px`]);
    }
    labels.forEach((one, index) => {
      for (const other of labels.slice(index + 1)) {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (across > 1 && down > 2.5) problems.push(['overlapping chart text', `${name}: ${one.words} × ${other.words}`]);
      }
    });
  }
  return problems;
}
