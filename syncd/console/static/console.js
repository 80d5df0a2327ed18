// Adds what a browser alone can do: the time in the reader's zone, and copying a text. Without this file the pages are complete: times are
// those of UTC, and the buttons stay hidden.
"use strict";

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (moment.getTimezoneOffset()) {
    const here = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
    time.title += `; here ${moment.toLocaleString([], here)}`;
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const label = [...button.childNodes];
  button.hidden = source === null;
  button.addEventListener("click", async () => {
    const lines = [...source.querySelectorAll("code")].map((code) => code.textContent);
    const text = lines.length ? lines.join("\n") : source.textContent;
    let copied;
    try {
      await navigator.clipboard.writeText(text);
      copied = true;
    } catch {
      // Browsers have no clipboard for a page that came over plain HTTP from another machine.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      copied = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.replaceChildren(copied ? "Copied" : "Not copied");
    setTimeout(() => button.replaceChildren(...label), 2000);
  });
}
