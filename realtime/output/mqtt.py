"""`--mqtt mqtt://HOST/TOPIC`: each event line is published to a broker, as JSON, at least once."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from realtime.errors import MissingPartError, OutputError, UsageError
from realtime.output.sinks import Sink, json_line
from realtime.records import Event

PORTS = {"mqtt": 1883, "mqtts": 8883}
WAITING = 1000  # events that may wait for a broker that is away
PATIENCE_S = 10.0  # for the last ones, at the end


class MqttSink(Sink):
    """Publishes with quality of service 1. paho keeps the connection, and what waits for it, in a thread of its own."""

    def __init__(self, url: str):
        """
        Raises:
            UsageError: that is no broker's address with a topic.
            MissingPartError: paho-mqtt is not installed.
            OutputError: the broker does not answer.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or not parts.path.strip("/"):
            raise UsageError(f"--mqtt {url}: expected an address with a topic, such as mqtt://localhost/lab/events")
        try:
            from paho.mqtt import client
        except ModuleNotFoundError as error:
            raise MissingPartError("MQTT needs paho-mqtt: pip install 'mer-live[mqtt]'") from error
        self.name, self._topic = f"mqtt {parts.hostname}", unquote(parts.path.strip("/"))
        self._client = client.Client(client.CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(WAITING)
        if parts.scheme == "mqtts":
            self._client.tls_set()
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        try:
            self._client.connect(parts.hostname, parts.port or PORTS[parts.scheme])
        except OSError as error:
            raise OutputError(f"{self.name} does not answer ({error.strerror or error}): is a broker running there?") from error
        self._sent: list = []
        self._client.loop_start()

    def write(self, event: Event) -> None:
        self._sent = [one for one in self._sent if not one.is_published()]
        sent = self._client.publish(self._topic, json_line(event.as_dict()), qos=1)
        if sent.rc == 15:  # MQTT_ERR_QUEUE_SIZE
            error = OutputError(f"{self.name}: {WAITING} events wait for the broker, no more are taken")
            error.lost = 1
            raise error
        self._sent.append(sent)

    provisional = write

    def close(self) -> None:
        for sent in self._sent:
            try:
                sent.wait_for_publish(PATIENCE_S / max(len(self._sent), 1))
            except (ValueError, RuntimeError):
                continue
        lost = sum(not sent.is_published() for sent in self._sent)
        self._client.disconnect()
        self._client.loop_stop()
        if lost:
            error = OutputError(f"{self.name}: {lost} events were not delivered")
            error.lost = lost
            raise error
