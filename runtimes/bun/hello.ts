console.log("Hello from Bun", Bun.version);
