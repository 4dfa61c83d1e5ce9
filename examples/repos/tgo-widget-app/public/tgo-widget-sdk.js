// What a site embeds: <script src="https://widget.example.com/tgo-widget-sdk.js" data-agent="support"></script>
// Its name never changes, so no browser may keep it for long.
(function () {
  "use strict";
  var script = document.currentScript;
  var page = new URL("/", script.src);
  page.searchParams.set("agent", script.getAttribute("data-agent") || "support");

  var frame = document.createElement("iframe");
  frame.title = "Chat";
  frame.hidden = true;
  frame.style.cssText = "position:fixed;right:16px;bottom:72px;width:360px;height:480px;border:0";

  var button = document.createElement("button");
  button.type = "button";
  button.textContent = "Chat";
  button.style.cssText = "position:fixed;right:16px;bottom:16px";
  button.addEventListener("click", function () {
    // Nothing is fetched before somebody wants to chat.
    if (!frame.src) frame.src = page.href;
    frame.hidden = !frame.hidden;
  });

  // A message from any other window is not the widget's.
  window.addEventListener("message", function (event) {
    if (event.origin === page.origin && event.data === "tgo-widget:close") frame.hidden = true;
  });

  document.body.append(frame, button);
})();
