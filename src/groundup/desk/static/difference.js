// Two texts, line by line: [{sign, line, text}], where "-" stands in the first alone, "+" in the second alone, " " in both.
// `line` counts from 1 in the text that holds the line; for " " in the first.
const MOST = 4e6; // cells of the table below; where two texts differ more widely than that, the middle is replaced whole

const lines = (text) => text.split(/\r\n?|\n/);

export function difference(first, second) {
  const [a, b] = [lines(first), lines(second)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [i, j] = [a.length, b.length];
  while (i > start && j > start && a[i - 1] === b[j - 1]) [i, j] = [i - 1, j - 1];
  const rows = a.slice(0, start).map((text, at) => ({ sign: " ", line: at + 1, text }));
  rows.push(...middle(a.slice(start, i), b.slice(start, j), start));
  rows.push(...a.slice(i).map((text, at) => ({ sign: " ", line: i + at + 1, text })));
  return rows;
}

// Longest common subsequence: length[i * width + j] is that of a[i:] and b[j:].
function middle(a, b, offset) {
  const width = b.length + 1;
  const wide = (a.length + 1) * width > MOST;
  const length = new Uint32Array(wide ? 0 : (a.length + 1) * width);
  for (let i = a.length - 1; i >= 0 && !wide; i--)
    for (let j = b.length - 1; j >= 0; j--)
      length[i * width + j] = a[i] === b[j]
        ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
  const rows = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (!wide && i < a.length && j < b.length && a[i] === b[j]) {
      rows.push({ sign: " ", line: offset + i + 1, text: a[i++] });
      j++;
    } else if (i < a.length && (wide || j === b.length || length[(i + 1) * width + j] >= length[i * width + j + 1])) {
      rows.push({ sign: "-", line: offset + i + 1, text: a[i++] });
    } else {
      rows.push({ sign: "+", line: offset + j + 1, text: b[j++] });
    }
  }
  return rows;
}
