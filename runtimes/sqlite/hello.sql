SELECT 'Hello from SQLite ' || sqlite_version();
