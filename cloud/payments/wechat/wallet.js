// Inside WeChat: hand the prepared payment to the wallet, and look what became of it.
"use strict";

const asked = document.querySelector("[data-wallet]");

function pay() {
  window.WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(asked.dataset.wallet), () => {
    location.href = asked.dataset.back; // what the wallet says is no proof: the page asks
  });
}

asked.addEventListener("click", pay);
if (window.WeixinJSBridge) pay();
else document.addEventListener("WeixinJSBridgeReady", pay, false);
