// Sending one file, with how much of it has left: fetch cannot tell that yet, so this is XMLHttpRequest.

import { DoranError } from "./errors.js";

const PATH = "/api/store/files";

/** Gives the file as the server has it. `onProgress` gets a part of one; `signal` breaks it off. */
export async function upload({ file, authorise, onProgress = () => {}, signal, Request = XMLHttpRequest }) {
  const send = async (stale) => once({ file, token: await authorise(stale), onProgress, signal, Request });
  const first = await send();
  const { status, answer } = first.status === 401 ? await send(first.token) : first;
  const item = answer?.data?.items?.[0];
  if (item) return item;
  throw new DoranError({
    code: answer?.errorCode ?? `HTTP_${status}`,
    message: answer?.message,
    status,
    retryable: status >= 502,
    fields: answer?.data?.fields ?? [],
  });
}

function once({ file, token, onProgress, signal, Request }) {
  const request = new Request();
  const form = new FormData();
  form.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const lost = () => reject(new DoranError({ code: "NETWORK", retryable: true }));
    request.open("POST", PATH);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
    request.addEventListener("load", () => resolve({ token, status: request.status, answer: parse(request.responseText) }));
    request.addEventListener("error", lost);
    request.addEventListener("abort", lost);
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
