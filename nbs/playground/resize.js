// A picture becomes a small square here exactly as in Python, where `fit_picture` crops and resizes it with Pillow:
// the square in the middle, then a bicubic filter that averages over all pixels that fall into one. (A canvas would
// average less, and the model would see another image.) Rows first, then columns; weights and results are rounded as
// in Pillow, so the pixels are the same, bit for bit.

const ONE = 2**22; // weights are integers, in units of 2⁻²²

// The bicubic filter, with a = −0.5.
function bicubic(x) {
  x = Math.abs(x);
  if (x < 1) return (1.5*x - 2.5)*x*x + 1;
  return x < 2 ? ((2.5 - 0.5*x)*x - 4)*x + 2 : 0;
}

// The square in the middle of a picture: [left, top, side]. A side that is odd by one gives half a pixel.
export function middleSquare(width, height) {
  const side = Math.min(width, height);
  return [(width - side)/2, (height - side)/2, side];
}

// For each of `out` pixels, the first of the `size` pixels that it averages over, and their weights.
// The pixels lie between `from` and `from + length`; the filter may reach a little further.
function weightsOf(size, from, length, out) {
  const scale = length/out, width = Math.max(scale, 1), reach = 2*width;
  return Array.from({length: out}, (_, i) => {
    const centre = from + (i + 0.5)*scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(size, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({length: end - start}, (_, j) => bicubic((start + j - centre + 0.5)/width));
    const sum = raw.reduce((a, b) => a + b, 0);
    const whole = w => Math.sign(w)*Math.floor(Math.abs(w)/sum*ONE + 0.5);
    return {start, end, weights: raw.map(whole)};
  });
}

// The three colours of one new pixel: a weighted mean of pixels that are `step` values apart, from `at` on.
function average(values, at, step, weights, result, to) {
  for (let colour = 0; colour < 3; colour++) {
    let sum = ONE/2;
    for (let j = 0; j < weights.length; j++) sum += weights[j]*values[at + j*step + colour];
    result[to + colour] = Math.min(255, Math.max(0, Math.floor(sum/ONE)));
  }
}

// Crop and resize a picture to `out`×`out`: red, green and blue of each pixel, row by row.
// `read(x, y, width, height)` gives pixels of the picture, as `getImageData` does. We read it in strips: a picture of
// a hundred megapixels does not fit into a canvas.
export function resize(read, width, height, out = 32) {
  const [left, top, side] = middleSquare(width, height);
  const columns = weightsOf(width, left, side, out), rows = weightsOf(height, top, side, out);
  const x = columns[0].start, n = columns[out - 1].end - x, y = rows[0].start, end = rows[out - 1].end;
  const narrow = new Uint8Array((end - y)*out*3), strip = Math.max(1, Math.floor(2**20/n));
  for (let first = y; first < end; first += strip) {
    const count = Math.min(strip, end - first), pixels = read(x, first, n, count);
    for (let row = 0; row < count; row++)
      columns.forEach(({start, weights}, i) =>
        average(pixels, (row*n + start - x)*4, 4, weights, narrow, ((first - y + row)*out + i)*3));
  }
  const result = new Uint8Array(out*out*3);
  rows.forEach(({start, weights}, row) => {
    for (let i = 0; i < out; i++)
      average(narrow, ((start - y)*out + i)*3, out*3, weights, result, (row*out + i)*3);
  });
  return result;
}
