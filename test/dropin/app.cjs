// An application on Xronox v3.1.0, as S3 sees it: app.cjs write FROM TO | check TO.
// It knows one bucket (BUCKET) at one endpoint (ENDPOINT) and addresses it in the host name, as
// the SDK does unless told otherwise. Items FROM to TO-1 are created, updated once, and have a
// property that is kept as a blob with a text of its own.
const crypto = require("node:crypto");
const http = require("node:http");
const s3 = require("@aws-sdk/client-s3");
const { NodeHttpHandler } = require("@smithy/node-http-handler");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const Bucket = process.env.BUCKET;
// Names below localhost are this machine, whether the resolver knows or not.
const lookup = (_host, options, done) =>
  options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
const client = new s3.S3Client({
  endpoint: process.env.ENDPOINT,
  forcePathStyle: process.env.PATH_STYLE === "true",
  requestHandler: new NodeHttpHandler({ httpAgent: new http.Agent({ keepAlive: true, lookup }) }),
});

const id = (n) => "65a1b2c3d4e5f607" + n.toString(16).padStart(8, "0");
const sha256 = (body) => crypto.createHash("sha256").update(body).digest("hex");
const itemKey = (n, v) => `docs/${id(n)}/v${v}/item.json`;
const blobKey = (n, v, leaf) => `docs/file.data/${id(n)}/v${v}/${leaf}`;

function item(n, v) {
  const ref = { contentBucket: Bucket, blobKey: blobKey(n, v, "blob.bin"), textKey: blobKey(n, v, "text.txt") };
  const at = "2026-01-02T03:04:05.678Z";
  return JSON.stringify({ n, file: { data: { ref } }, _system: { insertedAt: at, updatedAt: at, state: "new-not-synched" } });
}

// What Xronox sends with every object; the SDK adds the CRC32.
async function put(Key, Body, ContentType) {
  const Metadata = { sha256: sha256(Body), "content-type": ContentType };
  const out = await client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ContentType, Metadata }));
  if (!out.ChecksumCRC32) throw new Error(`no CRC32 in the answer for ${Key}`);
}

async function write(from, to) {
  for (let n = from; n < to; n++) {
    for (const v of [0, 1]) {
      await put(blobKey(n, v, "blob.bin"), Buffer.from(`blob ${n} ${v}`), "text/plain");
      await put(blobKey(n, v, "text.txt"), Buffer.from(`blob ${n} ${v}`), "text/plain; charset=utf-8");
      await put(itemKey(n, v), Buffer.from(item(n, v)), "application/json; charset=utf-8");
    }
  }
}

async function read(Key, want, type) {
  const out = await client.send(new s3.GetObjectCommand({ Bucket, Key }));
  const got = Buffer.from(await out.Body.transformToByteArray()).toString();
  if (got !== want || out.ContentType !== type || out.Metadata.sha256 !== sha256(want) || out.Metadata["content-type"] !== type) {
    throw new Error(`${Key}: ${got} ${out.ContentType} ${JSON.stringify(out.Metadata)}`);
  }
  const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key }));
  if (head.ContentLength !== want.length) throw new Error(`${Key}: length ${head.ContentLength}`);
}

// A presigned URL goes to the bucket's own host.
async function fetchSigned(Key, want) {
  const url = new URL(await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }), { expiresIn: 3600 }));
  const got = await new Promise((resolve, reject) => {
    http.get(url, { lookup }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve(`${response.statusCode} ${Buffer.concat(chunks)}`));
    }).on("error", reject);
  });
  if (got !== `200 ${want}`) throw new Error(`${url.pathname}: ${got}`);
}

// Lists as Xronox does: by prefix, page after page.
async function list(Prefix) {
  const keys = [];
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 4 }, { Bucket, Prefix })) {
    keys.push(...(page.Contents ?? []).map((object) => object.Key));
  }
  return keys;
}

async function check(to) {
  const all = [];
  for (let n = 0; n < to; n++) {
    for (const v of [0, 1]) {
      await read(itemKey(n, v), item(n, v), "application/json; charset=utf-8");
      await read(blobKey(n, v, "blob.bin"), `blob ${n} ${v}`, "text/plain");
      await fetchSigned(blobKey(n, v, "text.txt"), `blob ${n} ${v}`);
      all.push(itemKey(n, v), blobKey(n, v, "blob.bin"), blobKey(n, v, "text.txt"));
    }
    const versions = await list(`docs/${id(n)}/`);
    if (versions.join() !== [0, 1].map((v) => itemKey(n, v)).join()) throw new Error(`versions of ${n}: ${versions}`);
  }
  const listed = await list("docs/");
  if (listed.join() !== all.sort().join()) throw new Error(`listed ${listed.length} of ${all.length}: ${listed.join("\n")}`);
  for (const [Key, name] of [["docs/none", "NoSuchKey"]]) {
    const err = await client.send(new s3.GetObjectCommand({ Bucket, Key })).catch((e) => e);
    if (err.name !== name) throw new Error(`${Key}: ${err.name}`);
  }
  const err = await client.send(new s3.HeadObjectCommand({ Bucket, Key: "docs/none" })).catch((e) => e);
  if (err.name !== "NotFound") throw new Error(`HEAD of nothing: ${err.name}`);
}

const [verb, ...numbers] = process.argv.slice(2);
({ write, check })[verb](...numbers.map(Number)).catch((err) => {
  console.error(err);
  process.exit(1);
});
