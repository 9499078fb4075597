// hgrm_check.js VALUES HGRM - every line of the file against hdr-histogram-js fed with the same values.
const fs = require('fs');
const hdr = require('hdr-histogram-js');

const [valuesFile, hgrmFile] = process.argv.slice(2);
const histogram = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 4e12, numberOfSignificantValueDigits: 4 });
for (const line of fs.readFileSync(valuesFile, 'utf8').trim().split('\n')) histogram.recordValue(Number(line));

const shape = (text) => text.split('\n').map((line) => line.trim().replace(/[\d.]+/g, '9').replace(/ +/g, ' '));
const ours = fs.readFileSync(hgrmFile, 'utf8');
const theirs = histogram.outputPercentileDistribution(5, 1e6);
const kinds = new Set(shape(theirs));
let lines = 0;

for (const line of shape(ours))
  if (!kinds.has(line)) throw new Error(`a line of a kind hdr-histogram-js does not write: "${line}"`);
for (const line of ours.split('\n')) {
  const [value, fraction, count] = line.trim().split(/\s+/).map(Number);
  if (!(value > 0) || Number.isNaN(fraction)) continue;
  const wanted = histogram.getValueAtPercentile(fraction * 100) / 1e6;
  if (Math.abs(value - wanted) > wanted * 0.01) throw new Error(`p${fraction * 100}: ${value} ms, hdr-histogram-js ${wanted}`);
  if (count < Math.floor(fraction * histogram.totalCount)) throw new Error(`p${fraction * 100}: count ${count}`);
  lines++;
}
if (lines < 50) throw new Error(`only ${lines} percentiles`);
const mean = Number(/Mean\s*=\s*([\d.]+)/.exec(ours)[1]);
if (Math.abs(mean - histogram.mean / 1e6) > mean * 0.01) throw new Error(`mean ${mean}, hdr-histogram-js ${histogram.mean / 1e6}`);
