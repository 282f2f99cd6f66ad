// Runs CloudFront's function: `node run_edge_function.js <file>`. Reads lines of {event, now}, writes lines of
// {result, hmacs, microseconds}. For a null event: one HMAC like the function's, as a floor of its time.
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

const message = 'image-api delivery link v1\n0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e\nw320\n1800003600';
function makeHmac() {
    return crypto.createHmac('sha256', 'k'.repeat(64)).update(message).digest('base64url');
}

readline.createInterface({ input: process.stdin }).on('line', line => {
    const call = JSON.parse(line);
    now = call.now * 1000;
    hmacs = 0;
    const started = process.hrtime.bigint();
    const result = call.event ? handler(call.event) : makeHmac();
    const microseconds = Number(process.hrtime.bigint() - started) / 1000;
    process.stdout.write(JSON.stringify({ result, hmacs, microseconds }) + '\n');
});
