// A page in a real browser as a client: browser.cjs CHROMIUM PAGE STRANGER BUCKET
// opens PAGE, whose origin the bucket's CORS rules allow, and STRANGER, whose they
// do not, has them send what this signs for BUCKET, and prints what they could
// see of the answers, as JSON. CommonJS, because NODE_PATH finds the packages.
const { execFileSync } = require("node:child_process");
const { chromium } = require("playwright-core");
const s3 = require("@aws-sdk/client-s3");
const { createPresignedPost } = require("@aws-sdk/s3-presigned-post");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const client = new s3.S3Client({ forcePathStyle: true, maxAttempts: 1 });

// ask runs in the page. A form goes as FormData, its file last.
async function ask({ url, form, ...init }) {
  if (form) {
    init.body = new FormData();
    for (const [name, value] of Object.entries(form)) init.body.append(name, value);
    init.body.append("file", new Blob(["a form's file"], { type: "text/plain" }), "file.txt");
  }
  try {
    const answer = await fetch(url, init);
    const headers = Object.fromEntries(answer.headers);
    return { status: answer.status, headers, body: await answer.text() };
  } catch (error) {
    return { refused: String(error) };
  }
}

// The headers of a PUT are signed as headers, as an application does that wants to hold the page to them.
async function signPut(input) {
  const url = await getSignedUrl(client, new s3.PutObjectCommand({ ...input, Metadata: { from: "page" } }), {
    unhoistableHeaders: new Set(["x-amz-meta-from"]),
    signableHeaders: new Set(["host", "content-type", "x-amz-meta-from"]),
  });
  return { method: "PUT", url, headers: { "content-type": input.ContentType, "x-amz-meta-from": "page" } };
}

// submit fills in a form in the page by hand, and returns where the browser is led.
async function submit(page, { url, fields }) {
  await page.evaluate(
    ({ url, fields }) => {
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: url, enctype: "multipart/form-data" });
      const field = (type, name, value = "") => form.append(Object.assign(document.createElement("input"), { type, name, value }));
      for (const [name, value] of Object.entries(fields)) field("hidden", name, value);
      field("file", "file");
      field("submit", "submit", "go");
      document.body.append(form);
    },
    { url, fields },
  );
  await page.setInputFiles("input[type=file]", { name: "by hand.txt", mimeType: "text/plain", buffer: Buffer.from("by hand") });
  await Promise.all([page.waitForURL(/key=/), page.click("input[type=submit]")]);
  return page.url();
}

async function work(browser, pageURL, strangerURL, bucket) {
  const open = async (url) => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(url);
    return page;
  };
  const [page, stranger] = [await open(pageURL), await open(strangerURL)];
  const object = (key) => ({ Bucket: bucket, Key: key });
  const get = async (key) => ({ url: await getSignedUrl(client, new s3.GetObjectCommand(object(key))) });
  const seen = {};
  const put = await signPut({ ...object("put/a b+c é.txt"), ContentType: "text/plain" });
  seen.put = await page.evaluate(ask, { ...put, body: "put by a page" });
  seen.get = await page.evaluate(ask, await get("put/a b+c é.txt"));
  const { url, fields } = await createPresignedPost(client, {
    ...object("form/a b+c é.txt"),
    Fields: { success_action_status: "201", "Content-Type": "text/plain" },
    Conditions: [["content-length-range", 1, 100]],
  });
  seen.form = await page.evaluate(ask, { url, method: "POST", form: fields });
  seen.formOfAnotherKey = await page.evaluate(ask, { url, method: "POST", form: { ...fields, key: "form/other" } });
  const hand = { success_action_redirect: pageURL };
  seen.led = await submit(page, await createPresignedPost(client, { ...object("form/${filename}"), Fields: hand }));

  const { url: changed } = await get("put/other");
  seen.missing = await page.evaluate(ask, await get("missing"));
  seen.tampered = await page.evaluate(ask, { url: changed.replace("other", "another") });
  const remove = await getSignedUrl(client, new s3.DeleteObjectCommand(object("put/a b+c é.txt")));
  seen.method = await page.evaluate(ask, { method: "DELETE", url: remove });
  const refused = await signPut({ ...object("refused/header"), ContentType: "text/plain" });
  seen.header = await page.evaluate(ask, { ...refused, headers: { ...refused.headers, "x-other": "1" }, body: "x" });
  const strange = await signPut({ ...object("refused/stranger"), ContentType: "text/plain" });
  seen.strangePut = await stranger.evaluate(ask, { ...strange, body: "x" });
  seen.strangeGet = await stranger.evaluate(ask, await get("put/a b+c é.txt"));
  return seen;
}

async function main(executablePath, ...rest) {
  if (!rest.length) return console.log(execFileSync(executablePath, ["--version"]).toString());
  // Root has no sandbox, and containers little shared memory.
  const args = ["--disable-dev-shm-usage", "--disable-gpu"];
  const browser = await chromium.launch({ executablePath, args, chromiumSandbox: false, timeout: 120_000 });
  try {
    console.log(JSON.stringify(await work(browser, ...rest)));
  } finally {
    await browser.close();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
