// The AWS SDK for JavaScript as a command: client.cjs VERB ARGUMENTS, as
// test/clients has the verbs. CommonJS, because NODE_PATH finds the SDK.
const fs = require("node:fs");
const path = require("node:path");
const { pipeline } = require("node:stream/promises");
const s3 = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { createPresignedPost } = require("@aws-sdk/s3-presigned-post");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const client = new s3.S3Client({ forcePathStyle: true, maxAttempts: 1 });

async function* pages(bucket, prefix) {
  const query = { Bucket: bucket, Prefix: prefix };
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 7 }, query)) {
    yield (page.Contents ?? []).map((object) => object.Key);
  }
}

async function put(file, bucket, key) {
  const params = { Bucket: bucket, Key: key, Body: fs.createReadStream(file) };
  await new Upload({ client, params }).done();
}

async function get(bucket, key, file) {
  const { Body } = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: key }));
  await pipeline(Body, fs.createWriteStream(file));
}

async function resume(bucket, key, file) {
  const { ETag } = await client.send(new s3.HeadObjectCommand({ Bucket: bucket, Key: key }));
  const rest = { Bucket: bucket, Key: key, IfMatch: ETag, Range: `bytes=${fs.statSync(file).size}-` };
  const { Body } = await client.send(new s3.GetObjectCommand(rest));
  await pipeline(Body, fs.createWriteStream(file, { flags: "a" }));
}

// Waiters throw when what they wait for does not come.
async function wait(bucket, key) {
  const often = { client, maxWaitTime: 150, minDelay: 1, maxDelay: 1 };
  const object = { Bucket: bucket, Key: key };
  const change = async (command, waited) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.send(command);
    await waited;
  };
  await change(new s3.PutObjectCommand({ ...object, Body: "x" }), s3.waitUntilObjectExists(often, object));
  await change(new s3.DeleteObjectCommand(object), s3.waitUntilObjectNotExists(often, object));
  await s3.waitUntilBucketExists(often, { Bucket: bucket });
  await s3.waitUntilBucketNotExists(often, { Bucket: bucket + "-none" });
}

async function walk(paginate, query, ...members) {
  const found = [];
  for await (const page of paginate({ client, pageSize: 2 }, query)) {
    for (const member of members) found.push(...(page[member] ?? []));
  }
  return found;
}

// The SDK has no paginators for the listings whose place has two names, and none for ListObjects.
async function walkByMarkers(Command, query, ...members) {
  const found = [];
  for (let next = {}; next; ) {
    const page = await client.send(new Command({ ...query, ...next }));
    for (const member of members) found.push(...(page[member] ?? []).map((o) => ({ ...o, member })));
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker, NextUploadIdMarker: UploadIdMarker } = page;
    next = page.IsTruncated && { KeyMarker, VersionIdMarker, UploadIdMarker, Marker: page.Contents?.at(-1).Key };
  }
  return found;
}

async function listings(bucket) {
  const keys = (found) => found.map((o) => (o.member === "DeleteMarkers" ? "-" : "") + (o.Key ?? o.Prefix));
  const query = { Bucket: bucket, MaxKeys: 2, MaxUploads: 2 };
  const uploads = await walkByMarkers(s3.ListMultipartUploadsCommand, query, "Uploads");
  const { Key, UploadId } = uploads[0];
  const parts = await walk(s3.paginateListParts, { Bucket: bucket, Key, UploadId }, "Parts");
  const buckets = await walk(s3.paginateListBuckets, { Prefix: bucket }, "Buckets");
  const folders = { Bucket: bucket, Delimiter: "/" };
  return {
    V1: keys(await walkByMarkers(s3.ListObjectsCommand, query, "Contents")),
    V2: keys(await walk(s3.paginateListObjectsV2, { Bucket: bucket }, "Contents")),
    Folders: keys(await walk(s3.paginateListObjectsV2, folders, "Contents", "CommonPrefixes")),
    Versions: keys(await walkByMarkers(s3.ListObjectVersionsCommand, query, "Versions", "DeleteMarkers")),
    Uploads: keys(uploads),
    Parts: parts.map((part) => part.PartNumber),
    Buckets: buckets.map((b) => b.Name),
  };
}

// The algorithms that the SDK has without help.
const algorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

async function transfer(file, bucket, key) {
  const content = fs.readFileSync(file);
  for (const ChecksumAlgorithm of algorithms) {
    const object = { Bucket: bucket, Key: key + ChecksumAlgorithm };
    const params = { ...object, ChecksumAlgorithm, Body: content };
    await new Upload({ client, params, partSize: 5 << 20, queueSize: 2 }).done();
    const copy = { Bucket: bucket, Key: "copy " + object.Key, CopySource: copySource(bucket, object.Key) };
    await client.send(new s3.CopyObjectCommand({ ...copy, ChecksumAlgorithm }));
    const { Body } = await client.send(new s3.GetObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
    if (!content.equals(await Body.transformToByteArray())) throw new Error(`${object.Key} has come back otherwise`);
    console.log(ChecksumAlgorithm);
  }
}

// A copy source in JavaScript is encoded by the caller, each segment for itself.
function copySource(bucket, key) {
  return [bucket, ...key.split("/")].map(encodeURIComponent).join("/");
}

const verbs = {
  async version() {
    const { version } = require("@aws-sdk/client-s3/package.json");
    console.log(`AWS SDK for JavaScript ${version} on Node ${process.version}`);
  },
  make: (bucket) => client.send(new s3.CreateBucketCommand({ Bucket: bucket })),
  put,
  get,
  resume,
  async list(bucket) {
    for await (const keys of pages(bucket)) keys.forEach((key) => console.log(key));
  },
  copy: (bucket, from, key) =>
    client.send(new s3.CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: copySource(bucket, from) })),
  delete: (bucket, key) => client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key: key })),
  async upload(directory, bucket, prefix) {
    for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath ?? entry.path, entry.name);
      await put(file, bucket, `${prefix}/${path.relative(directory, file)}`);
    }
  },
  async download(bucket, prefix, directory) {
    for await (const keys of pages(bucket, prefix + "/")) {
      for (const key of keys) {
        const file = path.join(directory, key.slice(prefix.length + 1));
        fs.mkdirSync(path.dirname(file), { recursive: true });
        await get(bucket, key, file);
      }
    }
  },
  "sign-get": async (bucket, key) =>
    console.log(await getSignedUrl(client, new s3.GetObjectCommand({ Bucket: bucket, Key: key }))),
  "sign-put": async (bucket, key) =>
    console.log(await getSignedUrl(client, new s3.PutObjectCommand({ Bucket: bucket, Key: key }))),
  async "sign-post"(bucket, key) {
    const Fields = { success_action_status: "201", "x-amz-meta-by": "js" };
    const Conditions = [["content-length-range", 1, 1 << 20]];
    console.log(JSON.stringify(await createPresignedPost(client, { Bucket: bucket, Key: key, Fields, Conditions })));
  },
  wait,
  pages: async (bucket) => console.log(JSON.stringify(await listings(bucket))),
  transfer,
  async clear(bucket) {
    for await (const keys of pages(bucket)) {
      const Objects = keys.map((Key) => ({ Key }));
      if (keys.length) await client.send(new s3.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
    }
    await client.send(new s3.DeleteBucketCommand({ Bucket: bucket }));
  },
};

const [verb, ...rest] = process.argv.slice(2);
verbs[verb](...rest).catch((error) => {
  console.error(error);
  process.exit(1);
});
