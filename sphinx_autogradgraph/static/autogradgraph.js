/* sphinx-autogradgraph; made from frontend/ by «npm run build». */
"use strict";(()=>{function O(t){let e=document.createElement("div");return e.className="autogradgraph-controls",t!==void 0&&
(e.setAttribute("role","group"),e.setAttribute("aria-label",t)),e}function x(t,e,o){let n=document.createElement(
"button");return n.type="button",n.textContent=e,n.addEventListener("click",()=>o(n)),t.append(n),n}
function N(t){let e=document.createElement("span");return e.setAttribute("role","status"),t.append(e),
e}var K={};function ot(){let t=document.querySelector("[data-autogradgraph-words]");t instanceof HTMLElement&&
(K=JSON.parse(t.dataset.autogradgraphWords??"{}"))}function nt(){return"full"in K}function m(t,e={}){
return St(K[t]??"",e)}function St(t,e){return t.replace(/{(\w+)}/g,(o,n)=>String(e[n]??o))}var kt=["fill","stroke","stroke-width","stroke-dasharray","stroke-linecap","paint-order","font-famil\
y","font-size","font-weight","text-anchor"];async function rt(t,e){let o=Lt(t);try{await navigator.clipboard.
writeText(o);let n=e.textContent;e.textContent=m("copied"),setTimeout(()=>{e.textContent=n},1500)}catch{
let n=document.createElement("a");n.href=URL.createObjectURL(new Blob([o],{type:"image/svg+xml"})),n.
download=`${t.querySelector("title")?.id.replace(/-title$/,"")}.svg`,n.click(),URL.revokeObjectURL(n.
href)}}function Lt(t){let e=t.cloneNode(!0),o=[[t,e]];for(let n=o.pop();n;n=o.pop()){let[r,s]=n,a=getComputedStyle(
r);s.removeAttribute("tabindex");let c=kt.map(i=>`${i}:${a.getPropertyValue(i)}`);s.style.cssText=c.
join(";");for(let i=0;i<r.children.length;i+=1)o.push([r.children[i],s.children[i]])}return e.setAttribute(
"width",String(t.viewBox.baseVal.width)),e.setAttribute("height",String(t.viewBox.baseVal.height)),new XMLSerializer().
serializeToString(e)}function $(t){let e=t.querySelector("title")?.id.replace(/title$/,"")??"",o=new Map;for(let n of k(t))
o.set(n.id.slice(e.length),{node:n,into:[],out:[]});for(let n of t.querySelectorAll(".edge[data-ends\
]")){let[r,s]=n.getAttribute("data-ends")?.split(" ")??[];o.get(r)?.out.push({edge:n,to:s}),o.get(s)?.
into.push({edge:n,to:r})}return o}function k(t){return[...t.querySelectorAll(".autogradgraph-svg .no\
de")]}function q(t){return t.querySelector(".autogradgraph-svg")}function st(t,e){return k(t).find(o=>At(
o.dataset.node??"",e))}function At(t,e){return t?t.split(" ").some(o=>{let[n,r=n]=o.split("-").map(Number);
return n<=e&&e<=r}):!1}function at(t){return Number.parseInt(t.split(" ").pop()??"",10)}var Et="autogradgraph-hit";function vt(t,e){let o=e.trim().toLowerCase();return o!==""&&t.toLowerCase().
includes(o)}function D(t,e){let o=document.createElement("input");o.type="search",o.placeholder=m("s\
earch"),o.setAttribute("aria-label",m("search")),t.append(o);let n=-1,r=[];function s(){n=-1,r=[];for(let a of k(
e().parentElement)){let c=vt(a.textContent,o.value);a.classList.toggle(Et,c),c&&r.push(a)}}return o.
addEventListener("input",s),o.addEventListener("keydown",a=>{a.key!=="Enter"||!r.length||(a.preventDefault(),
n=(n+(a.shiftKey?r.length-1:1))%r.length,r[n].scrollIntoView({block:"center",inline:"center"}))}),{input:o,
update:s}}function it(t){let{canvas:e}=t,o=document.createElement("dialog");o.className="autogradgraph autogra\
dgraph-full",o.setAttribute("aria-label",m("full"));let n=O(),r=document.createElement("div");r.className=
"autogradgraph-canvas",r.tabIndex=0,r.setAttribute("role","region"),r.setAttribute("aria-label",m("f\
ull"));let s=new Map,a=1;function c(){let l=t.shown();s.has(l)||s.set(l,l.style.cssText),l.style.minWidth=
"0",l.style.width=`${l.viewBox.baseVal.width*a}px`}function i(l){let b=(r.scrollLeft+r.clientWidth/2)/
r.scrollWidth,A=(r.scrollTop+r.clientHeight/2)/r.scrollHeight;a=Math.min(8,Math.max(1/8,a*l)),c(),r.
scrollLeft=b*r.scrollWidth-r.clientWidth/2,r.scrollTop=A*r.scrollHeight-r.clientHeight/2}x(n,`− ${m(
"smaller")}`,()=>i(1/1.25)),x(n,`+ ${m("larger")}`,()=>i(1.25));let d=D(n,t.shown);d.input.value=t.search.
input.value,x(n,`× ${m("end")}`,()=>o.close()),r.addEventListener("wheel",l=>{l.ctrlKey&&(l.preventDefault(),
i(l.deltaY<0?1.1:1/1.1))},{passive:!1}),o.addEventListener("keydown",l=>{l.key==="Escape"&&o.close()}),
Ot(r),t.onShow=()=>{c(),d.update()},o.addEventListener("close",()=>{t.onShow=()=>{};for(let[l,b]of s)
l.style.cssText=b;e.append(t.shown()),t.search.input.value=d.input.value,t.search.update(),t.fit(),o.
remove()});let f=q(e);o.append(n,r),r.append(f),e.after(o),o.showModal(),i(1),d.update(),t.showOutput(
r),r.addEventListener("click",l=>{l.target.closest("a")&&!l.defaultPrevented&&o.close()})}function Ot(t){
t.addEventListener("pointerdown",e=>{let o=e.target.closest(".node");if(e.button||e.pointerType==="t\
ouch"||o)return;e.preventDefault(),t.setPointerCapture(e.pointerId);let n=s=>{t.scrollLeft-=s.movementX,
t.scrollTop-=s.movementY};t.addEventListener("pointermove",n);let r=()=>t.removeEventListener("point\
ermove",n);t.addEventListener("pointerup",r,{once:!0}),t.addEventListener("pointercancel",r,{once:!0})})}var Tt="autogradgraph-marked";function W(t,e){U(t,o=>{for(let n of[t,...e()])n.classList.toggle(Tt,o)})}
function U(t,e){let o=!1,n=!1;t.addEventListener("pointerenter",()=>{o=!0,e(!0)}),t.addEventListener(
"focusin",()=>{n=!0,e(!0)}),t.addEventListener("pointerleave",()=>{o=!1,e(n)}),t.addEventListener("f\
ocusout",()=>{n=!1,e(o)})}var H="autogradgraph-path";function $t(t){switch(t){case"BT":return{ArrowUp:"out",ArrowDown:"into",ArrowLeft:"\
before",ArrowRight:"after"};case"LR":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"into",ArrowRight:"\
out"};case"RL":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"out",ArrowRight:"into"};default:
return{ArrowUp:"into",ArrowDown:"out",ArrowLeft:"before",ArrowRight:"after"}}}function qt(t,e){let o=new Set(
[t]),n=[],r=[t];for(let s=r.pop();s!==void 0;s=r.pop())for(let a of e(s))n.push(a),!o.has(a.to)&&(o.
add(a.to),r.push(a.to));return{keys:o,ways:n}}function lt(t){let e=$(t),o=new Map([...e].map(([i,{node:d}])=>[
d,i])),n=[...e.keys()],r=$t(t.dataset.direction??"TB"),s=0,a=i=>{t.classList.toggle("autogradgraph-t\
racing",i!==null);for(let d of t.querySelectorAll(`.${H}`))d.classList.remove(H);if(i!==null)for(let d of[
"into","out"]){let f=qt(i,l=>e.get(l)?.[d]??[]);for(let l of f.keys)e.get(l)?.node.classList.add(H);
for(let{edge:l}of f.ways)l.classList.add(H)}};n.forEach((i,d)=>{let f=e.get(i).node;f.tabIndex=d?-1:
0,f.setAttribute("role","group"),f.setAttribute("aria-label",F(f)),U(f,l=>{clearTimeout(s),s=window.
setTimeout(a,l?120:60,l?i:null)})}),t.addEventListener("keydown",i=>{let d=o.get(ct(i));if(d===void 0||
i.altKey||i.ctrlKey||i.metaKey)return;let f=c(d,i.key);f!==void 0&&(i.preventDefault(),Mt(e.get(f).node))}),
t.addEventListener("focusin",i=>{let d=ct(i);for(let{node:f}of e.values())f.tabIndex=f===d?0:-1});function c(i,d){
let f=n.indexOf(i);if(d==="Home")return n[0];if(d==="End")return n[n.length-1];let l=r[d];return l===
"before"?n[f-1]:l==="after"?n[f+1]:l&&e.get(i)?.[l][0]?.to}}function ct(t){return t.target.closest("\
.node")}function F(t){return[...t.querySelectorAll("text")].map(e=>e.textContent.trim()).join(" ")}function Mt(t){
t.focus({preventScroll:!0}),t.scrollIntoView({block:"nearest",inline:"nearest"})}var Y=new Map;function R(t){for(let e of k(t)){let o=_(e);if(!o)continue;W(e,()=>[o]);let n=Y.get(o);
n||(n=[],Y.set(o,n),o.classList.add("autogradgraph-line"),o.tabIndex=0,W(o,()=>Y.get(o)??[])),n.push(
e)}for(let e of t.querySelectorAll(".autogradgraph-svg")){for(let o of e.querySelectorAll(".node.sha\
red")){let n=`.node.shared[data-node="${o.dataset.node}"]`;W(o,()=>e.querySelectorAll(n))}e.style.length||
(e.style.cssText=e.getAttribute("style")??""),lt(e)}}function _(t){let e=t.querySelector("a.line")?.
getAttribute("href");return e?document.getElementById(e.slice(1)):null}var dt=new Map;globalThis.autogradgraphLevel=(t,e)=>{dt.get(t)?.(e)};async function ut(t){let e=await new Promise(
(s,a)=>{dt.set(t.file??"",s);let c=document.createElement("script");c.src=t.url??"",c.onerror=a,document.
head.append(c)}),o=Uint8Array.from(atob(e),s=>s.charCodeAt(0)),n=new Blob([o]).stream().pipeThrough(
new DecompressionStream("gzip")),r=document.createElement("div");return r.innerHTML=await new Response(
n).text(),R(r),r.querySelector("svg")}function j(t){let e=t.querySelector(".node.output");if(!e)return;let o=v(e),n=v(t);t.scrollLeft+=o.x-
n.x,t.scrollTop+=o.y-n.y}function v(t){let{left:e,top:o,width:n,height:r}=t.getBoundingClientRect();
return{x:e+n/2,y:o+r/2}}function ft(t,e,o){let n=t.nodes[e],{gradient:r}=n,s=M(n,o),a=[r?o("receives",{node:s,shape:G(r.shape),
size:P(r,o)}):o("reached",{node:s})],c=t.edges.filter(d=>d.from===e&&d.gradient);c.length>1&&!t.outputs.
some(d=>d.node===e)&&a.push(o("sum",{parts:c.map(d=>Nt(t,d,o)).join(" + ")}));let i=Ct(t,n,o);return i&&
a.push(i),[...a,...It(n,o)].join(" ")}function pt(t,e){let n={tensors:t.outputs.map(a=>{let c=[a.name??
t.name,G(a.shape)].filter(Boolean).join(" ");return a.values===void 0?c:`${c} = ${X(a.values)}`}).join(
", "),node:t.op,call:t.call??""},r=[e(t.call?"computed":"made",n)],{source:s}=t;return s&&r.unshift(
e("line",{line:s.line,text:s.text.trim()})),r.join(" ")}function J(t,e){return t.nodes[e.to].derivatives?.
find(o=>o.input===e.input)?.formula}function Ct(t,e,o){let n=[];for(let r of t.edges.filter(({to:s})=>s===
e.id)){let s=J(t,r),a=r.gradient&&P(r.gradient,o),c=[s,a].filter(d=>d!==void 0).join(", "),i=M(t.nodes[r.
from],o);c&&n.push(o(s&&a?"passed":"passedShort",{what:c,node:i}))}return n.length?o("passes",{items:[
...n,...Bt(t,e,o)].join("; ")}):""}function Bt(t,e,o){let n=new Set;for(let{names:r}of e.derivatives??
[])for(let[s,a]of Object.entries(r)){let c=e.saved?.find(l=>l.role===a),i=s==="result"?e.id:c?.node;
if(s!==a||i===void 0||i===null)continue;let d=t.nodes[i],f=d.kind==="function";n.add(o(f?"isMade":"i\
sTensor",{name:s,node:M(d,o)}))}return n}function It(t,e){let{gradient:o,name:n}=t,r=t.outputs[0]?.flags,
s=o?P(o,e):"";if(t.kind==="leaf"){let a={node:M(t,e),size:s,shape:G(r?.grad??null)};return!o||!r?[e(
"kept",a)]:[e(r.grad?"added":"first",a)]}return!n||!r||r.is_leaf?[]:[e(r.retains_grad?"retained":"no\
tKept",{node:n})]}function Nt(t,e,o){let n=e.gradient;return o("part",{size:P(n,o),node:M(t.nodes[e.
to],o)})}function P(t,e){return typeof t.values=="number"?X(t.values):e("norm",{norm:t.norm??"?"})}function M(t,e){
return t.kind==="function"?t.op:t.name??e("unnamed")}function G(t){return t?t.length===1?`(${t[0]},)`:
`(${t.join(", ")})`:"?"}function X(t){return Array.isArray(t)?`[${t.map(X).join(", ")}]`:String(t).replace(
"-","−")}var mt="autogradgraph-formula",Dt=4;function Q(t,e,o,n){for(let s of t.querySelectorAll(`.${mt}`))s.
remove();if(!o)return;let r=o.edges.filter(s=>s.to===n);for(let{edge:s,from:a}of e){let c=r.findIndex(
l=>l.from===a),i=s.querySelector("path");if(c<0||!i)continue;let[d]=r.splice(c,1),f=J(o,d);f&&Wt(t,i,
f)}}function Wt(t,e,o){let n=document.createElementNS("http://www.w3.org/2000/svg","text");n.classList.
add(mt),n.setAttribute("aria-hidden","true"),n.textContent=o;let r=e.closest("svg > g");r.append(n);
let{x:s,y:a}=e.getPointAtLength(e.getTotalLength()/2),c=n.getBBox().width/2+Dt,i=e.parentElement?.querySelector(
"text.carried"),f=i&&i.getBBox().x>s?s-c:s,l=-r.transform.baseVal.getItem(0).matrix.e,b=l+t.viewBox.
baseVal.width-c;n.setAttribute("x",String(Math.max(l+c,Math.min(f,b)))),n.setAttribute("y",String(a)),
n.setAttribute("dy",".35em")}var Ht=1200,Rt=35;function ht(t,e){let o=t.parentElement?.querySelector("script.autogradgraph-data"),
n=t.querySelector(".order")!==null;if(!n&&!o?.textContent?.includes('"values"'))return;let r=JSON.parse(
o?.textContent||'{"nodes": [], "edges": [], "outputs": []}'),s=O(m("passes_label"));t.after(s);let a=n?
"backward":"forward",c=0,i=0,d=x(s,`◀ ${m("before")}`,()=>{w(),A(c-1)}),f={forward:x(s,"",()=>S("f\
orward")),backward:x(s,"",()=>S("backward"))};f.backward.hidden=!n;let l=x(s,`${m("next")} ▶`,()=>{
w(),A(c+1)}),b=N(s);b.className="autogradgraph-player";function A(p){let u=Z(t,a);c=Math.max(0,Math.
min(p,u.length)),T();for(let{boxes:g}of u.slice(0,Math.max(0,c-1)))C(g,"done");a==="forward"&&c&&B(u.
slice(c)),b.textContent=c?h(u):"",d.disabled=c===0,l.disabled=c===u.length,c===u.length&&w()}function T(){
for(let p of["now","done","flow","ahead"])for(let u of e().querySelectorAll(`.autogradgraph-${p}`))u.
classList.remove(`autogradgraph-${p}`);Q(e(),[]);for(let p of document.querySelectorAll(".autogradgr\
aph-line.autogradgraph-now"))p.classList.remove("autogradgraph-now")}function B(p){let u=new Set(p.flatMap(
g=>g.boxes));C(u,"ahead");for(let{node:g,into:E}of $(e()).values())u.has(g)&&C(E.map(({edge:tt})=>tt),
"ahead")}function h(p){let{boxes:u,id:g}=p[c-1];C(u,"now"),u[0].scrollIntoView({block:"nearest",inline:"\
nearest"}),_(u[0])?.classList.add("autogradgraph-now");let E=$(e()),et=[...E.values()].filter(({node:L})=>u.
includes(L)).flatMap(L=>L.into);C(et.map(({edge:L})=>L),"flow");let z={number:c,count:p.length},I=g===
null?void 0:r.nodes[g];if(!I){let L=u[0].querySelector(".op, .name, .meta")?.textContent??"",V=a==="\
backward"?m("reached",{node:L}):F(u[0]);return`${m("step",z)} ${V}`}if(a==="forward")return`${m("ste\
p",z)} ${pt(I,m)}`;let yt=et.map(({edge:L,to:V})=>({edge:L,from:gt(E.get(V)?.node)}));return Q(e(),yt,
r,I.id),`${m("step",z)} ${ft(r,I.id,m)}`}function S(p){let u=i!==0;if(w(),u&&p===a)return;let g=Z(t,
p).length;(p!==a||c===g)&&(a=p,c=0),y()}function y(){if(A(c+1),c===Z(t,a).length)return;let p=b.textContent?.
length??0;i=window.setTimeout(y,Math.max(Ht,Rt*p)),f[a].textContent=`❚❚ ${m("pause")}`}function w(){
clearTimeout(i),i=0,f.forward.textContent=`▶ ${m("playForward")}`,f.backward.textContent=`▶ ${m(
"play")}`}w(),A(0)}function Z(t,e){let o=new Map;for(let n of k(t)){let r=n.querySelector(".order")?.
textContent,s=n.dataset.node??"";if(!(e==="backward"?r:n.matches(".function, .module, .output")))continue;
let c=e==="backward"?Number.parseInt(r??"",10):jt(s),i=o.get(s)??{boxes:[],rank:c,id:gt(n)};i.boxes.
push(n),o.set(s,i)}return[...o.values()].sort((n,r)=>n.rank-r.rank)}function gt(t){let e=t?.dataset.
node??"";return/^\d+$/.test(e)?Number(e):null}function jt(t){return Number(t.split(/[ -]/).pop())}function C(t,e){
for(let o of t)o.classList.add(`autogradgraph-${e}`)}var Pt=40,zt=1.04;function wt(t){let e=JSON.parse(t.dataset.levels??"[{}]");if(e[0].svg=q(t)??void 0,
!e[0].svg||!nt())return;let o=0,n=()=>e[o].svg,r=O();t.before(r);let s=x(r,`− ${m("close")}`,()=>b(
o-1)),a=x(r,`+ ${m("open")}`,()=>b(o+1)),c=N(r),i=D(r,n),d={canvas:t,shown:n,search:i,onShow(){},fit:l,
showOutput:j},f=x(r,m("full"),()=>it(d));x(r,m("copy"),h=>rt(n(),h));for(let h of[s,a,c])h.hidden=e.
length===1;ht(t,n),B(0),T(),j(t),new ResizeObserver(l).observe(t);function l(){let h=q(t);if(!h)return;
t.style.maxHeight=t.scrollHeight>zt*window.innerHeight?"":"none";let S=t.scrollWidth>t.clientWidth+1||
t.scrollHeight>t.clientHeight+1,y={tabindex:"0",role:"region","aria-label":Vt(t)};for(let[p,u]of Object.
entries(y))S?t.setAttribute(p,u):t.removeAttribute(p);f.hidden=!S&&h.clientWidth>=h.viewBox.baseVal.
width-1,i.input.hidden=k(t).length<=Pt;let w=[f,i.input,a].every(p=>p.hidden);r.classList.toggle("au\
togradgraph-quiet",w)}async function b(h,S){if(!e[h])return;let y=n();t.setAttribute("aria-busy","tr\
ue");try{e[h].svg||(e[h].svg=await ut(e[h]),B(h))}catch{e.length=h,T();return}finally{t.removeAttribute(
"aria-busy")}let w=y.parentElement,p=S??Kt(y,w),u=p&&v(p);y.replaceWith(A(h)),T(),d.onShow();let g=p&&
st(n(),at(p.dataset.node??""));if(!u||!g){j(w);return}let E=()=>({x:v(g).x-u.x,y:v(g).y-u.y});w.scrollLeft+=
E().x,w.scrollTop+=E().y,S&&(w===t&&window.scrollBy(0,E().y),g.scrollIntoView({block:"nearest",inline:"\
nearest"}),g.focus({preventScroll:!0}))}function A(h){return o=h,n()}function T(){let h=document.activeElement;
s.disabled=o===0,a.disabled=o===e.length-1,e.length>1&&(c.textContent=m("state",{count:(e[o].nodes??
0).toLocaleString()})),h===s&&s.disabled&&a.focus(),h===a&&a.disabled&&s.focus(),i.update(),l()}function B(h){
if(h===e.length-1)return;let S=".node.module:not(.cut)";for(let y of e[h].svg?.querySelectorAll(S)??
[]){y.classList.add("autogradgraph-opens");let w=u=>{o!==e.length-1&&(u.preventDefault(),b(o+1,y))},
p=u=>u.target.closest("a")!==null;y.addEventListener("click",u=>{(u.detail===0||u.ctrlKey||u.metaKey||
u.shiftKey)&&p(u)||w(u)}),y.addEventListener("keydown",u=>{u.key==="Enter"&&!p(u)&&w(u)})}}}function Vt(t){
return(t.parentElement?.querySelector("figcaption .caption-text")??t.querySelector("title"))?.textContent??
""}function Kt(t,e){let o=v(e),n,r=Number.POSITIVE_INFINITY;for(let s of t.querySelectorAll(".node")){
let{x:a,y:c}=v(s),i=Math.hypot(a-o.x,c-o.y);i<r&&(r=i,n=s)}return n}var Ut=["class","style","data-theme","data-mode","data-bs-theme","data-md-color-scheme"];function bt(){
let t=document.documentElement,e=()=>{let r=document.querySelector(".autogradgraph")??document.body;
t.dataset.autogradgraphScheme=Ft(r)??(_t()?"dark":"light")},o="autogradgraphScheme"in t.dataset;if(e(),
o)return;let n=new MutationObserver(e);for(let r of[t,document.body])n.observe(r,{attributes:!0,attributeFilter:Ut});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change",e)}function Ft(t){for(let e=t.parentElement;e;e=
e.parentElement){let o=Yt(getComputedStyle(e).backgroundColor);if(o!==null)return o?"dark":"light"}return null}
function Yt(t){let e=t.match(/[\d.]+/g)?.map(Number);if(!e||e.length<3||e[3]===0)return null;let[o,n,
r]=e;return .2126*o+.7152*n+.0722*r<128}function _t(){return getComputedStyle(document.documentElement).
colorScheme.includes("dark")&&matchMedia("(prefers-color-scheme: dark)").matches}function xt(){ot(),bt();let t=".autogradgraph > .autogradgraph-canvas:not([data-autogradgraph-ready]\
)";for(let e of document.querySelectorAll(t))e instanceof HTMLElement&&(e.dataset.autogradgraphReady=
"",wt(e),R(e))}document.readyState==="loading"?document.addEventListener("DOMContentLoaded",xt):xt();})();
