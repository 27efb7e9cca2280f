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
