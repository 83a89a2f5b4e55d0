console.log("Hello from Deno", Deno.version.deno);
