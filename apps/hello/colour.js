// One colour for each host, the same on the server and in the browser (page.js copies this file in).
// Okabe and Ito's palette: told apart by colour-blind eyes too, and black is readable on all five.
const PALETTE = ["#e69f00", "#009e73", "#f0e442", "#56b4e9", "#cc79a7"];

// A plain sum: neighbours such as web1 and web2 always differ, and so do voxy, zero and akuma.
function colourOf(host) {
  let sum = 0;
  for (const letter of host) sum += letter.codePointAt(0);
  return PALETTE[sum % PALETTE.length];
}

if (typeof module !== "undefined") module.exports = { colourOf }; // a browser has no `module`
