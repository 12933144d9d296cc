/* sphinx-autogradgraph; made from frontend/ by «npm run build». */
"use strict";(()=>{function O(t){let e=document.createElement("div");return e.className="autogradgraph-controls",t!==void 0&&
(e.setAttribute("role","group"),e.setAttribute("aria-label",t)),e}function b(t,e,o){let n=document.createElement(
"button");return n.type="button",n.textContent=e,n.addEventListener("click",()=>o(n)),t.append(n),n}
function I(t){let e=document.createElement("span");return e.setAttribute("role","status"),t.append(e),
e}var H={};function j(){let t=document.querySelector("[data-autogradgraph-words]");t instanceof HTMLElement&&
(H=JSON.parse(t.dataset.autogradgraphWords??"{}"))}function z(){return"full"in H}function p(t,e={}){
return nt(H[t]??"",e)}function nt(t,e){return t.replace(/{(\w+)}/g,(o,n)=>String(e[n]??o))}var rt=["fill","stroke","stroke-width","stroke-dasharray","stroke-linecap","paint-order","font-famil\
y","font-size","font-weight","text-anchor"];async function F(t,e){let o=at(t);try{await navigator.clipboard.
writeText(o);let n=e.textContent;e.textContent=p("copied"),setTimeout(()=>{e.textContent=n},1500)}catch{
let n=document.createElement("a");n.href=URL.createObjectURL(new Blob([o],{type:"image/svg+xml"})),n.
download=`${t.querySelector("title")?.id.replace(/-title$/,"")}.svg`,n.click(),URL.revokeObjectURL(n.
href)}}function at(t){let e=t.cloneNode(!0),o=[[t,e]];for(let n=o.pop();n;n=o.pop()){let[r,a]=n,c=getComputedStyle(
r);a.removeAttribute("tabindex");let h=rt.map(s=>`${s}:${c.getPropertyValue(s)}`);a.setAttribute("st\
yle",h.join(";"));for(let s=0;s<r.children.length;s+=1)o.push([r.children[s],a.children[s]])}return e.
setAttribute("width",String(t.viewBox.baseVal.width)),e.setAttribute("height",String(t.viewBox.baseVal.
height)),new XMLSerializer().serializeToString(e)}function M(t){let e=t.querySelector("title")?.id.replace(/title$/,"")??"",o=new Map;for(let n of S(t))
o.set(n.id.slice(e.length),{node:n,into:[],out:[]});for(let n of t.querySelectorAll(".edge[data-ends\
]")){let[r,a]=n.getAttribute("data-ends")?.split(" ")??[];o.get(r)?.out.push({edge:n,to:a}),o.get(a)?.
into.push({edge:n,to:r})}return o}function S(t){return[...t.querySelectorAll(".autogradgraph-svg .no\
de")]}function T(t){return t.querySelector(".autogradgraph-svg")}function K(t,e){return S(t).find(o=>st(
o.dataset.node??"",e))}function st(t,e){return t?t.split(" ").some(o=>{let[n,r=n]=o.split("-").map(Number);
return n<=e&&e<=r}):!1}function Y(t){return Number.parseInt(t.split(" ").pop()??"",10)}var it="autogradgraph-hit";function ct(t,e){let o=e.trim().toLowerCase();return o!==""&&t.toLowerCase().
includes(o)}function $(t,e){let o=document.createElement("input");o.type="search",o.placeholder=p("s\
earch"),o.setAttribute("aria-label",p("search")),t.append(o);let n=-1,r=[];function a(){n=-1,r=[];for(let c of S(
e().parentElement)){let h=ct(c.textContent,o.value);c.classList.toggle(it,h),h&&r.push(c)}}return o.
addEventListener("input",a),o.addEventListener("keydown",c=>{c.key!=="Enter"||!r.length||(c.preventDefault(),
n=(n+(c.shiftKey?r.length-1:1))%r.length,r[n].scrollIntoView({block:"center",inline:"center"}))}),{input:o,
update:a}}function J(t){let{canvas:e}=t,o=document.createElement("dialog");o.className="autogradgraph autograd\
graph-full",o.setAttribute("aria-label",p("full"));let n=O(),r=document.createElement("div");r.className=
"autogradgraph-canvas",r.tabIndex=0,r.setAttribute("role","region"),r.setAttribute("aria-label",p("f\
ull"));let a=new Map,c=1;function h(){let i=t.shown();a.has(i)||a.set(i,i.getAttribute("style")),i.style.
minWidth="0",i.style.width=`${i.viewBox.baseVal.width*c}px`}function s(i){let y=(r.scrollLeft+r.clientWidth/
2)/r.scrollWidth,q=(r.scrollTop+r.clientHeight/2)/r.scrollHeight;c=Math.min(8,Math.max(1/8,c*i)),h(),
r.scrollLeft=y*r.scrollWidth-r.clientWidth/2,r.scrollTop=q*r.scrollHeight-r.clientHeight/2}b(n,`− ${p(
"smaller")}`,()=>s(1/1.25)),b(n,`+ ${p("larger")}`,()=>s(1.25));let u=$(n,t.shown);u.input.value=t.search.
input.value,b(n,`× ${p("end")}`,()=>o.close()),r.addEventListener("wheel",i=>{i.ctrlKey&&(i.preventDefault(),
s(i.deltaY<0?1.1:1/1.1))},{passive:!1}),o.addEventListener("keydown",i=>{i.key==="Escape"&&o.close()}),
lt(r),t.onShow=()=>{h(),u.update()},o.addEventListener("close",()=>{t.onShow=()=>{};for(let[i,y]of a)
i.setAttribute("style",y??"");e.append(t.shown()),t.search.input.value=u.input.value,t.search.update(),
t.fit(),o.remove()});let f=T(e);o.append(n,r),r.append(f),e.after(o),o.showModal(),s(1),u.update(),t.
showOutput(r),r.addEventListener("click",i=>{i.target.closest("a")&&o.close()})}function lt(t){t.addEventListener(
"pointerdown",e=>{let o=e.target.closest(".node");if(e.button||e.pointerType==="touch"||o)return;e.preventDefault(),
t.setPointerCapture(e.pointerId);let n=a=>{t.scrollLeft-=a.movementX,t.scrollTop-=a.movementY};t.addEventListener(
"pointermove",n);let r=()=>t.removeEventListener("pointermove",n);t.addEventListener("pointerup",r,{
once:!0}),t.addEventListener("pointercancel",r,{once:!0})})}var dt="autogradgraph-marked";function B(t,e){P(t,o=>{for(let n of[t,...e()])n.classList.toggle(dt,o)})}
function P(t,e){let o=!1,n=!1;t.addEventListener("pointerenter",()=>{o=!0,e(!0)}),t.addEventListener(
"focusin",()=>{n=!0,e(!0)}),t.addEventListener("pointerleave",()=>{o=!1,e(n)}),t.addEventListener("f\
ocusout",()=>{n=!1,e(o)})}var N="autogradgraph-path";function ut(t){switch(t){case"BT":return{ArrowUp:"out",ArrowDown:"into",ArrowLeft:"\
before",ArrowRight:"after"};case"LR":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"into",ArrowRight:"\
out"};case"RL":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"out",ArrowRight:"into"};default:
return{ArrowUp:"into",ArrowDown:"out",ArrowLeft:"before",ArrowRight:"after"}}}function ft(t,e){let o=new Set(
[t]),n=[],r=[t];for(let a=r.pop();a!==void 0;a=r.pop())for(let c of e(a))n.push(c),!o.has(c.to)&&(o.
add(c.to),r.push(c.to));return{keys:o,ways:n}}function _(t){let e=M(t),o=new Map([...e].map(([s,{node:u}])=>[
u,s])),n=[...e.keys()],r=ut(t.dataset.direction??"TB"),a=0,c=s=>{t.classList.toggle("autogradgraph-t\
racing",s!==null);for(let u of t.querySelectorAll(`.${N}`))u.classList.remove(N);if(s!==null)for(let u of[
"into","out"]){let f=ft(s,i=>e.get(i)?.[u]??[]);for(let i of f.keys)e.get(i)?.node.classList.add(N);
for(let{edge:i}of f.ways)i.classList.add(N)}};n.forEach((s,u)=>{let f=e.get(s).node;f.tabIndex=u?-1:
0,f.setAttribute("role","group"),f.setAttribute("aria-label",pt(f)),P(f,i=>{clearTimeout(a),a=window.
setTimeout(c,i?120:60,i?s:null)})}),t.addEventListener("keydown",s=>{let u=o.get(X(s));if(u===void 0||
s.altKey||s.ctrlKey||s.metaKey)return;let f=h(u,s.key);f!==void 0&&(s.preventDefault(),mt(e.get(f).node))}),
t.addEventListener("focusin",s=>{let u=X(s);for(let{node:f}of e.values())f.tabIndex=f===u?0:-1});function h(s,u){
let f=n.indexOf(s);if(u==="Home")return n[0];if(u==="End")return n[n.length-1];let i=r[u];return i===
"before"?n[f-1]:i==="after"?n[f+1]:i&&e.get(s)?.[i][0]?.to}}function X(t){return t.target.closest(".\
node")}function pt(t){return[...t.querySelectorAll("text")].map(e=>e.textContent.trim()).join(" ")}function mt(t){
t.focus({preventScroll:!0}),t.scrollIntoView({block:"nearest",inline:"nearest"})}var V=new Map;function W(t){for(let e of S(t)){let o=ht(e);if(!o)continue;B(e,()=>[o]);let n=V.get(o);
n||(n=[],V.set(o,n),o.classList.add("autogradgraph-line"),o.tabIndex=0,B(o,()=>V.get(o)??[])),n.push(
e)}for(let e of t.querySelectorAll(".autogradgraph-svg")){for(let o of e.querySelectorAll(".node.sha\
red")){let n=`.node.shared[data-node="${o.dataset.node}"]`;B(o,()=>e.querySelectorAll(n))}_(e)}}function ht(t){
let e=t.querySelector("a.line")?.getAttribute("href");return e?document.getElementById(e.slice(1)):null}var G=new Map;globalThis.autogradgraphLevel=(t,e)=>{G.get(t)?.(e)};async function Q(t){let e=await new Promise(
(a,c)=>{G.set(t.file??"",a);let h=document.createElement("script");h.src=t.url??"",h.onerror=c,document.
head.append(h)}),o=Uint8Array.from(atob(e),a=>a.charCodeAt(0)),n=new Blob([o]).stream().pipeThrough(
new DecompressionStream("gzip")),r=document.createElement("div");return r.innerHTML=await new Response(
n).text(),W(r),r.querySelector("svg")}function D(t){let e=t.querySelector(".node.output");if(!e)return;let o=k(e),n=k(t);t.scrollLeft+=o.x-
n.x,t.scrollTop+=o.y-n.y}function k(t){let{left:e,top:o,width:n,height:r}=t.getBoundingClientRect();
return{x:e+n/2,y:o+r/2}}var gt=1200;function Z(t,e){if(!t.querySelector(".order"))return;let o=t.parentElement?.querySelector(
"script.autogradgraph-data"),n=o?.textContent?JSON.parse(o.textContent).nodes:[],r=O(p("backward"));
t.after(r);let a=0,c=0,h=b(r,`◀ ${p("before")}`,()=>{l(),y(a-1)}),s=b(r,"",()=>c?l():C()),u=b(r,`${p(
"next")} ▶`,()=>{l(),y(a+1)}),f=I(r);f.className="autogradgraph-player";function i(){let g=d=>Number.
parseInt(d.querySelector(".order")?.textContent??"",10);return S(t).filter(d=>d.querySelector(".orde\
r")).sort((d,m)=>g(d)-g(m))}function y(g){let d=i();a=Math.max(0,Math.min(g,d.length));for(let m of[
"now","done","flow"])for(let w of e().querySelectorAll(`.autogradgraph-${m}`))w.classList.remove(`au\
togradgraph-${m}`);for(let m of d.slice(0,Math.max(0,a-1)))m.classList.add("autogradgraph-done");f.textContent=
"",a&&q(d),h.disabled=a===0,u.disabled=a===d.length,a===d.length&&l()}function q(g){let d=g[a-1];d.classList.
add("autogradgraph-now"),d.scrollIntoView({block:"nearest",inline:"nearest"});let m=M(e()),w=[...m.values()].
find(L=>L.node===d)?.into??[];for(let{edge:L}of w)L.classList.add("autogradgraph-flow");let x=n[/^\d+$/.
test(d.dataset.node??"")?Number(d.dataset.node):-1]?.gradient,E=x?.shape,R=[p(x?"arrives":"reached",
{number:a,count:g.length,node:A(d),shape:E?`(${E.join(", ")}${E.length===1?",":""})`:"?",norm:x?x.norm??
"?":""})],U=[...new Set(w.map(({to:L})=>m.get(L)?.node))].filter(L=>L?.querySelector(".order"));U.length?
R.push(p("passes",{nodes:U.map(L=>A(L)).join(", ")})):d.classList.contains("leaf")&&R.push(p("kept",
{node:A(d)})),f.textContent=R.join(" ")}function A(g){return[".op",".name",".meta"].map(m=>g?.querySelector(
m)).find(Boolean)?.textContent??""}function C(){a===i().length&&y(0),y(a+1),c=window.setInterval(()=>y(
a+1),gt),s.textContent=`❚❚ ${p("pause")}`}function l(){clearInterval(c),c=0,s.textContent=`▶ ${p(
"play")}`}l(),y(0)}var wt=40;function tt(t){let e=JSON.parse(t.dataset.levels??"[{}]");if(e[0].svg=T(t)??void 0,!e[0].svg||
!z())return;let o=0,n=()=>e[o].svg,r=O();t.before(r);let a=b(r,`− ${p("close")}`,()=>y(o-1)),c=b(r,
`+ ${p("open")}`,()=>y(o+1)),h=I(r),s=$(r,n),u={canvas:t,shown:n,search:s,onShow(){},fit:i,showOutput:D},
f=b(r,p("full"),()=>J(u));b(r,p("copy"),l=>F(n(),l));for(let l of[a,c,h])l.hidden=e.length===1;Z(t,n);
for(let{svg:l}of e)l&&C(l);A(),D(t),new ResizeObserver(i).observe(t);function i(){let l=T(t);if(!l)return;
let g=t.scrollWidth>t.clientWidth+1||t.scrollHeight>t.clientHeight+1,d={tabindex:"0",role:"region","\
aria-label":yt(t)};for(let[w,v]of Object.entries(d))g?t.setAttribute(w,v):t.removeAttribute(w);f.hidden=
!g&&l.clientWidth>=l.viewBox.baseVal.width-1,s.input.hidden=S(t).length<=wt;let m=[f,s.input,c].every(
w=>w.hidden);r.classList.toggle("autogradgraph-quiet",m)}async function y(l,g){if(!e[l])return;let d=n();
t.setAttribute("aria-busy","true");try{e[l].svg||(e[l].svg=await Q(e[l]),C(e[l].svg))}catch{e.length=
l,A();return}finally{t.removeAttribute("aria-busy")}let m=d.parentElement,w=g??bt(d,m),v=w&&k(w);d.replaceWith(
q(l)),A(),u.onShow();let x=w&&K(n(),Y(w.dataset.node??""));if(!v||!x){D(m);return}let E=()=>({x:k(x).
x-v.x,y:k(x).y-v.y});m.scrollLeft+=E().x,m.scrollTop+=E().y,g&&(m===t&&window.scrollBy(0,E().y),x.scrollIntoView(
{block:"nearest",inline:"nearest"}),x.focus({preventScroll:!0}))}function q(l){return o=l,n()}function A(){
let l=document.activeElement;a.disabled=o===0,c.disabled=o===e.length-1,e.length>1&&(h.textContent=p(
"state",{count:(e[o].nodes??0).toLocaleString()})),l===a&&a.disabled&&c.focus(),l===c&&c.disabled&&a.
focus(),s.update(),i()}function C(l){if(e.length!==1)for(let g of l.querySelectorAll(".node.module:n\
ot(.cut)")){g.classList.add("autogradgraph-opens");let d=m=>{!m.target.closest("a")&&o<e.length-1&&y(
o+1,g)};g.addEventListener("click",d),g.addEventListener("keydown",m=>{m.key==="Enter"&&d(m)})}}}function yt(t){
return(t.parentElement?.querySelector("figcaption .caption-text")??t.querySelector("title"))?.textContent??
""}function bt(t,e){let o=k(e),n,r=Number.POSITIVE_INFINITY;for(let a of t.querySelectorAll(".node")){
let{x:c,y:h}=k(a),s=Math.hypot(c-o.x,h-o.y);s<r&&(r=s,n=a)}return n}var xt=["class","style","data-theme","data-mode","data-bs-theme","data-md-color-scheme"];function et(){
let t=document.documentElement,e=()=>{let r=document.querySelector(".autogradgraph")??document.body;
t.dataset.autogradgraphScheme=St(r)??(kt()?"dark":"light")},o="autogradgraphScheme"in t.dataset;if(e(),
o)return;let n=new MutationObserver(e);for(let r of[t,document.body])n.observe(r,{attributes:!0,attributeFilter:xt});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change",e)}function St(t){for(let e=t.parentElement;e;e=
e.parentElement){let o=Lt(getComputedStyle(e).backgroundColor);if(o!==null)return o?"dark":"light"}return null}
function Lt(t){let e=t.match(/[\d.]+/g)?.map(Number);if(!e||e.length<3||e[3]===0)return null;let[o,n,
r]=e;return .2126*o+.7152*n+.0722*r<128}function kt(){return getComputedStyle(document.documentElement).
colorScheme.includes("dark")&&matchMedia("(prefers-color-scheme: dark)").matches}function ot(){j(),et();let t=".autogradgraph > .autogradgraph-canvas:not([data-autogradgraph-ready])";
for(let e of document.querySelectorAll(t))e instanceof HTMLElement&&(e.dataset.autogradgraphReady="",
tt(e),W(e))}document.readyState==="loading"?document.addEventListener("DOMContentLoaded",ot):ot();})();
