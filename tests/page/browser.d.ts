// What browsers have and TypeScript's own list of them lacks.
declare class MediaStreamTrackProcessor {
  constructor(init: { track: MediaStreamTrack; maxBufferSize?: number });
  readable: ReadableStream<VideoFrame>;
}

interface Window {
  Plotly?: any;
  MediaStreamTrackProcessor?: typeof MediaStreamTrackProcessor;
}

interface PerformanceEntry {
  responseStatus?: number;
}
