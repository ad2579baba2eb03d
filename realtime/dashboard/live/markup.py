"""The parts of the live tab that its scripts fill: HTML with names, and no words that change."""

from __future__ import annotations

from html import escape

BUTTONS = """
<div class="mer-buttons">
  <button type="button" id="mer-start" class="mer-button mer-main" aria-pressed="false">Start camera</button>
  <button type="button" id="mer-play" class="mer-button" aria-pressed="false">Play the demo clip</button>
  <button type="button" id="mer-stop" class="mer-button" aria-disabled="true">Stop</button>
  <button type="button" id="mer-settings-button" class="mer-button" aria-expanded="false" aria-controls="mer-settings">Settings</button>
</div>
"""
CAMERA = """
<fieldset class="mer-fields">
  <legend>This browser's camera</legend>
  <label>Camera <select id="mer-camera"></select></label>
  <label>Picture size <select id="mer-size"></select></label>
  <label>Pictures a second <select id="mer-rate"></select></label>
  <p class="mer-state">Used from the next start on. What the camera really gives stands below the curve.</p>
</fieldset>
"""
STAGE = """
<section id="mer-stage" aria-label="Picture">
  <p id="mer-status" class="mer-state" role="status">Loading the page …</p>
  <p id="mer-busy" class="mer-warn" role="status" hidden></p>
  <div id="mer-problem" class="mer-warn" role="alert" hidden><span></span> <button type="button">Close</button></div>
  <div id="mer-frame">
    <video id="mer-video" muted playsinline aria-label="The camera's picture"></video>
    <canvas id="mer-viewer" hidden aria-label="The picture of the server's source"></canvas>
    <canvas id="mer-overlay" aria-hidden="true"></canvas>
    <p id="mer-idle">No camera is on.</p>
    <p id="mer-recsign" class="mer-rec" hidden role="status"><span aria-hidden="true">●</span> <b></b></p>
    <p id="mer-gate" hidden></p>
    <figure id="mer-latest" hidden>
      <img alt="Its motion as colours" hidden>
      <figcaption role="status"><b></b> <small></small></figcaption>
    </figure>
  </div>
</section>
"""
CURVE = """
<section aria-label="Difference from rest, the last seconds">
  <h3 class="mer-h">How far the face is from rest</h3>
  <div id="mer-curve" role="img" aria-label="Curve of the face's difference from rest, in multiples of what is usual at rest, with the limit above which a movement is looked at"></div>
  <ul class="mer-legend" aria-label="What the curve shows">
    <li><i data-line="accent"></i>difference from rest</li>
    <li><i data-line="macro" class="mer-dashed"></i>limit</li>
    <li><i data-line="apex"></i>reported: begin, peak, end</li>
    <li><i class="mer-cross">×</i>set aside, and why</li>
    <li><i data-band="blink"></i>blink</li>
    <li><i data-band="motion"></i>head moves</li>
    <li><i data-band="lost"></i>no face</li>
  </ul>
</section>
"""
HEALTH = """
<section aria-label="How well it works">
  <dl id="mer-health" class="mer-figures"></dl>
  <details id="mer-more" hidden>
    <summary>How fast it is</summary>
    <dl class="mer-figures"></dl>
  </details>
</section>
"""
DETAIL = """
<section id="mer-detail" aria-label="The event that is shown">
  <h3 class="mer-h" id="mer-detail-title">Event</h3>
  <div class="mer-pictures">
    <figure><div class="mer-picture" data-name="flow"></div><figcaption>Where to: direction as colour</figcaption></figure>
    <figure><div class="mer-picture" data-name="magnified"></div><figcaption>The movement, slow and enlarged</figcaption></figure>
    <figure><div class="mer-picture" data-name="strain"></div><figcaption>Where the skin is stretched</figcaption></figure>
    <figure><div class="mer-picture" data-name="looked"></div><figcaption>Where the network looked</figcaption></figure>
    <figure class="mer-scores"><div id="mer-scores"></div><figcaption>How likely each class is</figcaption></figure>
  </div>
</section>
"""


def events(formats: dict[str, str]) -> str:
    """formats: what can be downloaded → its name."""
    buttons = "".join(
        f'<button type="button" class="mer-button mer-small" data-what="{what}" aria-label="Download as {name}" aria-disabled="true">{name}</button>'
        for what, name in formats.items()
    )
    return f"""
<section aria-label="Events">
  <div class="mer-head">
    <h3 class="mer-h">Events <span id="mer-count">0</span></h3>
    <div id="mer-downloads" role="group" aria-label="Download">Download {buttons}</div>
  </div>
  <div id="mer-list">
    <ol id="mer-events" reversed></ol>
    <p id="mer-none" class="mer-state">None yet. Brief movements of the face appear here.</p>
  </div>
</section>
"""


def server_source(cameras: list[str]) -> str:
    """cameras: of the server, such as "0 (Integrated Camera)"."""
    known = [("demo", "the clip that comes with mer-live"), *((one.split()[0], f"camera {one}") for one in cameras)]
    options = "".join(f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in known)
    there = f"Cameras there: {escape(', '.join(cameras))}." if cameras else "No camera is plugged in there."
    return f"""
<fieldset class="mer-fields">
  <legend>Or a camera, file or stream of the server</legend>
  <label>Camera number, file or address <input id="mer-spec" list="mer-specs" placeholder="0   or   rtsp://camera/stream" autocomplete="off" spellcheck="false"></label>
  <datalist id="mer-specs">{options}</datalist>
  <button type="button" id="mer-watch" class="mer-button" aria-pressed="false">Watch it</button>
  <p class="mer-state">{there}</p>
</fieldset>
"""
