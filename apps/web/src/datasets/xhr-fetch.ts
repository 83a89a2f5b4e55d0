/** A `fetch` for one upload that tells how much of it was sent, which the browser's own does not. */
export function fetchWithProgress(onSent: (bytes: number) => void): typeof fetch {
  return (url, init = {}) =>
    new Promise<Response>((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(init.method ?? "GET", url instanceof Request ? url.url : url.toString());
      for (const [name, value] of new Headers(init.headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => onSent(event.loaded));
      request.addEventListener("load", () => {
        const headers = new Headers();
        for (const line of request.getAllResponseHeaders().trim().split(/\r\n/)) {
          const at = line.indexOf(":");
          if (at > 0) headers.append(line.slice(0, at), line.slice(at + 1).trim());
        }
        resolve(new Response(request.response as string, { status: request.status, headers }));
      });
      request.addEventListener("error", () => reject(new TypeError("The connection was lost.")));
      request.addEventListener("abort", () => reject(new DOMException("The upload was cancelled.", "AbortError")));
      init.signal?.addEventListener("abort", () => request.abort());
      request.send(init.body as XMLHttpRequestBodyInit);
    });
}
