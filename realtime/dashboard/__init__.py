"""The dashboard: `mer-demo` shows the recognizer in a browser. Needs the extra: pip install 'mer-live[demo]'."""
