// Runs CloudFront's function: `node run_edge_function.js <file>`. Reads lines of {event, now}, writes lines of
// {result, hmacs}: how many HMACs the function computed.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const readline = require('readline');

let hmacs = 0;
let now = 0;
const counting = {
    createHmac(algorithm, key) {
        hmacs += 1;
        return crypto.createHmac(algorithm, key);
    }
};
// As at CloudFront: crypto is the only module here, and the time stands still during a run.
class FixedDate extends Date {
    static now() {
        return now;
    }
}
const code = fs.readFileSync(process.argv[2], 'utf8');
const load = new Function('require', 'Date', `'use strict';\n${code}\nreturn handler;`);
const handler = load(() => counting, FixedDate);

readline.createInterface({ input: process.stdin }).on('line', line => {
    const call = JSON.parse(line);
    now = call.now * 1000;
    hmacs = 0;
    const result = handler(call.event);
    process.stdout.write(JSON.stringify({ result, hmacs }) + '\n');
});
