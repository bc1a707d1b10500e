(() => {
  "use strict";
  const form = document.getElementById("filter");
  const things = [...document.querySelectorAll("[data-v]")].map((element) => ({
    element,
    verdicts: element.dataset.v.split(" "),
    text: (element.matches("tr") ? element.textContent
      : element.querySelector("summary").textContent + element.querySelector(".asked").textContent
    ).toLowerCase(),
  }));

  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set([...form.querySelectorAll(":checked")].map((box) => box.value));
    let shown = 0;
    for (const { element, verdicts, text } of things) {
      const fits = verdicts.some((verdict) => wanted.has(verdict)) || verdicts[0] === "";
      const visible = fits && words.every((word) => text.includes(word));
      element.hidden = !visible;
      shown += visible && element.matches("details");
    }
    for (const body of document.querySelectorAll(".wall tbody")) {
      body.hidden = !body.querySelector("tr.row:not([hidden])");
    }
    form.elements.shown.value = `${shown} tests shown`;
  };

  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let element = target; element; element = element.parentElement) {
      if (element.matches("details")) element.open = true;
      element.hidden = false;
    }
    target.scrollIntoView();
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", reveal);
  reveal();
})();
