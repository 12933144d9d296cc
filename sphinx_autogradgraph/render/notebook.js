/* sphinx-autogradgraph; made from frontend/ by «npm run build». */
"use strict";(()=>{function c(e){let t=e.querySelector(".node.output")??d(e);if(!t)return;let o=a(t),r=a(e);e.scrollLeft+=
o.x-r.x,e.scrollTop+=o.y-r.y}function d(e){return[...e.querySelectorAll(".node.cut")].at(-1)}function a(e){
let{left:t,top:o,width:r,height:n}=e.getBoundingClientRect();return{x:t+r/2,y:o+n/2}}function u(e){for(let t=e.parentElement;t;t=t.parentElement){let o=s(getComputedStyle(t).backgroundColor);
if(o!==null)return o?"dark":"light"}return null}function s(e){let t=e.match(/[\d.]+/g)?.map(Number);
if(!t||t.length<3||t[3]===0)return null;let[o,r,n]=t;return .2126*o+.7152*r+.0722*n<128}var m="[data-theme], [data-jp-theme-light], [data-md-color-scheme], [theme]";for(let e of document.querySelectorAll(
"figure.autogradgraph")){if(!(e instanceof HTMLElement)||"autogradgraphSeen"in e.dataset)continue;e.
dataset.autogradgraphSeen="";let t=e.closest(m)?null:u(e);t&&(e.dataset.autogradgraphScheme=t);let o=e.
querySelector(".autogradgraph-canvas");o&&c(o)}})();
