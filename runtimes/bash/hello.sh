echo "Hello from Bash $BASH_VERSION"
