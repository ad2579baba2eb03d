# docker build -t mer-live .
# docker run --rm -it --device /dev/video0 --group-add video mer-live mer-live --camera 0
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libegl1 libgles2 libglib2.0-0 && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN pip install --no-cache-dir '/src[demo]' && rm -r /src
RUN useradd --create-home mer
USER mer
# the image proves itself, and the flow is compiled
RUN mer-replay "$(python -c 'import realtime; print(realtime.__path__[0])')/assets/demo.mp4" --out /tmp/proof --no-log && rm -r /tmp/proof
WORKDIR /data
EXPOSE 7860
CMD ["mer-live", "--demo"]
