/* sphinx-autogradgraph; made from frontend/ by «npm run build». */
"use strict";(()=>{function $(t){let e=document.createElement("div");return e.className="autogradgraph-controls",t!==void 0&&
(e.setAttribute("role","group"),e.setAttribute("aria-label",t)),e}function y(t,e,o){let n=document.createElement(
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
serializeToString(e)}function q(t){let e=t.querySelector("title")?.id.replace(/title$/,"")??"",o=new Map;for(let n of A(t))
o.set(n.id.slice(e.length),{node:n,into:[],out:[]});for(let n of t.querySelectorAll(".edge[data-ends\
]")){let[r,s]=n.getAttribute("data-ends")?.split(" ")??[];o.get(r)?.out.push({edge:n,to:s}),o.get(s)?.
into.push({edge:n,to:r})}return o}function A(t){return[...t.querySelectorAll(".autogradgraph-svg .no\
de")]}function M(t){return t.querySelector(".autogradgraph-svg")}function st(t,e){return A(t).find(o=>At(
o.dataset.node??"",e))}function At(t,e){return t?t.split(" ").some(o=>{let[n,r=n]=o.split("-").map(Number);
return n<=e&&e<=r}):!1}function at(t){return Number.parseInt(t.split(" ").pop()??"",10)}var Et="autogradgraph-hit";function vt(t,e){let o=e.trim().toLowerCase();return o!==""&&t.toLowerCase().
includes(o)}function D(t,e){let o=document.createElement("input");o.type="search",o.placeholder=m("s\
earch"),o.setAttribute("aria-label",m("search")),t.append(o);let n=-1,r=[];function s(){n=-1,r=[];for(let a of A(
e().parentElement)){let c=vt(a.textContent,o.value);a.classList.toggle(Et,c),c&&r.push(a)}}return o.
addEventListener("input",s),o.addEventListener("keydown",a=>{a.key!=="Enter"||!r.length||(a.preventDefault(),
n=(n+(a.shiftKey?r.length-1:1))%r.length,r[n].scrollIntoView({block:"center",inline:"center"}))}),{input:o,
update:s}}function it(t){let{canvas:e}=t,o=document.createElement("dialog");o.className="autogradgraph autogra\
dgraph-full",o.setAttribute("aria-label",m("full"));let n=$(),r=document.createElement("div");r.className=
"autogradgraph-canvas",r.tabIndex=0,r.setAttribute("role","region"),r.setAttribute("aria-label",m("f\
ull"));let s=new Map,a=1;function c(){let l=t.shown();s.has(l)||s.set(l,l.style.cssText),l.style.minWidth=
"0",l.style.width=`${l.viewBox.baseVal.width*a}px`}function i(l){let w=(r.scrollLeft+r.clientWidth/2)/
r.scrollWidth,S=(r.scrollTop+r.clientHeight/2)/r.scrollHeight;a=Math.min(8,Math.max(1/8,a*l)),c(),r.
scrollLeft=w*r.scrollWidth-r.clientWidth/2,r.scrollTop=S*r.scrollHeight-r.clientHeight/2}y(n,`− ${m(
"smaller")}`,()=>i(1/1.25)),y(n,`+ ${m("larger")}`,()=>i(1.25));let d=D(n,t.shown);d.input.value=t.search.
input.value,y(n,`× ${m("end")}`,()=>o.close()),r.addEventListener("wheel",l=>{l.ctrlKey&&(l.preventDefault(),
i(l.deltaY<0?1.1:1/1.1))},{passive:!1}),o.addEventListener("keydown",l=>{l.key==="Escape"&&o.close()}),
Ot(r),t.onShow=()=>{c(),d.update()},o.addEventListener("close",()=>{t.onShow=()=>{};for(let[l,w]of s)
l.style.cssText=w;e.append(t.shown()),t.search.input.value=d.input.value,t.search.update(),t.fit(),o.
remove()});let p=M(e);o.append(n,r),r.append(p),e.after(o),o.showModal(),i(1),d.update(),t.showOutput(
r),r.addEventListener("click",l=>{l.target.closest("a")&&!l.defaultPrevented&&o.close()})}function Ot(t){
t.addEventListener("pointerdown",e=>{let o=e.target.closest(".node");if(e.button||e.pointerType==="t\
ouch"||o)return;e.preventDefault(),t.setPointerCapture(e.pointerId);let n=s=>{t.scrollLeft-=s.movementX,
t.scrollTop-=s.movementY};t.addEventListener("pointermove",n);let r=()=>t.removeEventListener("point\
ermove",n);t.addEventListener("pointerup",r,{once:!0}),t.addEventListener("pointercancel",r,{once:!0})})}var Tt="autogradgraph-marked";function H(t,e){F(t,o=>{for(let n of[t,...e()])n.classList.toggle(Tt,o)})}
function F(t,e){let o=!1,n=!1;t.addEventListener("pointerenter",()=>{o=!0,e(!0)}),t.addEventListener(
"focusin",()=>{n=!0,e(!0)}),t.addEventListener("pointerleave",()=>{o=!1,e(n)}),t.addEventListener("f\
ocusout",()=>{n=!1,e(o)})}var R="autogradgraph-path";function $t(t){switch(t){case"BT":return{ArrowUp:"out",ArrowDown:"into",ArrowLeft:"\
before",ArrowRight:"after"};case"LR":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"into",ArrowRight:"\
out"};case"RL":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"out",ArrowRight:"into"};default:
return{ArrowUp:"into",ArrowDown:"out",ArrowLeft:"before",ArrowRight:"after"}}}function qt(t,e){let o=new Set(
[t]),n=[],r=[t];for(let s=r.pop();s!==void 0;s=r.pop())for(let a of e(s))n.push(a),!o.has(a.to)&&(o.
add(a.to),r.push(a.to));return{keys:o,ways:n}}function lt(t){let e=q(t),o=new Map([...e].map(([i,{node:d}])=>[
d,i])),n=[...e.keys()],r=$t(t.dataset.direction??"TB"),s=0,a=i=>{t.classList.toggle("autogradgraph-t\
racing",i!==null);for(let d of t.querySelectorAll(`.${R}`))d.classList.remove(R);if(i!==null)for(let d of[
"into","out"]){let p=qt(i,l=>e.get(l)?.[d]??[]);for(let l of p.keys)e.get(l)?.node.classList.add(R);
for(let{edge:l}of p.ways)l.classList.add(R)}};n.forEach((i,d)=>{let p=e.get(i).node;p.tabIndex=d?-1:
0,p.setAttribute("role","group"),p.setAttribute("aria-label",U(p)),F(p,l=>{clearTimeout(s),s=window.
setTimeout(a,l?120:60,l?i:null)})}),t.addEventListener("keydown",i=>{let d=o.get(ct(i));if(d===void 0||
i.altKey||i.ctrlKey||i.metaKey)return;let p=c(d,i.key);p!==void 0&&(i.preventDefault(),Mt(e.get(p).node))}),
t.addEventListener("focusin",i=>{let d=ct(i);for(let{node:p}of e.values())p.tabIndex=p===d?0:-1});function c(i,d){
let p=n.indexOf(i);if(d==="Home")return n[0];if(d==="End")return n[n.length-1];let l=r[d];return l===
"before"?n[p-1]:l==="after"?n[p+1]:l&&e.get(i)?.[l][0]?.to}}function ct(t){return t.target.closest("\
.node")}function U(t){return[...t.querySelectorAll("text")].map(e=>e.textContent.trim()).join(" ")}function Mt(t){
t.focus({preventScroll:!0}),t.scrollIntoView({block:"nearest",inline:"nearest"})}var Y=new Map;function W(t){for(let e of A(t)){let o=_(e);if(!o)continue;H(e,()=>[o]);let n=Y.get(o);
n||(n=[],Y.set(o,n),o.classList.add("autogradgraph-line"),o.tabIndex=0,H(o,()=>Y.get(o)??[])),n.push(
e)}for(let e of t.querySelectorAll(".autogradgraph-svg")){for(let o of e.querySelectorAll(".node.sha\
red")){let n=`.node.shared[data-node="${o.dataset.node}"]`;H(o,()=>e.querySelectorAll(n))}e.style.length||
(e.style.cssText=e.getAttribute("style")??""),lt(e)}}function _(t){let e=t.querySelector("a.line")?.
getAttribute("href");return e?document.getElementById(e.slice(1)):null}var dt=new Map;globalThis.autogradgraphLevel=(t,e)=>{dt.get(t)?.(e)};async function ut(t){let e=await new Promise(
(s,a)=>{dt.set(t.file??"",s);let c=document.createElement("script");c.src=t.url??"",c.onerror=a,document.
head.append(c)}),o=Uint8Array.from(atob(e),s=>s.charCodeAt(0)),n=new Blob([o]).stream().pipeThrough(
new DecompressionStream("gzip")),r=document.createElement("div");return r.innerHTML=await new Response(
n).text(),W(r),r.querySelector("svg")}function j(t){let e=t.querySelector(".node.output")??Ct(t);if(!e)return;let o=O(e),n=O(t);t.scrollLeft+=
o.x-n.x,t.scrollTop+=o.y-n.y}function Ct(t){return[...t.querySelectorAll(".node.cut")].at(-1)}function O(t){
let{left:e,top:o,width:n,height:r}=t.getBoundingClientRect();return{x:e+n/2,y:o+r/2}}function ft(t,e,o){let n=t.nodes[e],{gradient:r}=n,s=C(n,o),a=[r?o("receives",{node:s,shape:G(r.shape),
size:P(r,o)}):o("reached",{node:s})],c=t.edges.filter(d=>d.from===e&&d.gradient);c.length>1&&!t.outputs.
some(d=>d.node===e)&&a.push(o("sum",{parts:c.map(d=>Dt(t,d,o)).join(" + ")}));let i=It(t,n,o);return i&&
a.push(i),[...a,...Nt(n,o)].join(" ")}function pt(t,e){let n={tensors:t.outputs.map(a=>{let c=[a.name??
t.name,G(a.shape)].filter(Boolean).join(" ");return a.values===void 0?c:`${c} = ${X(a.values)}`}).join(
", "),node:t.op,call:t.call??""},r=[e(t.call?"computed":"made",n)],{source:s}=t;return s&&r.unshift(
e("line",{line:s.line,text:s.text.trim()})),r.join(" ")}function J(t,e){return t.nodes[e.to].derivatives?.
find(o=>o.input===e.input)?.formula}function It(t,e,o){let n=[];for(let r of t.edges.filter(({to:s})=>s===
e.id)){let s=J(t,r),a=r.gradient&&P(r.gradient,o),c=[s,a].filter(d=>d!==void 0).join(", "),i=C(t.nodes[r.
from],o);c&&n.push(o(s&&a?"passed":"passedShort",{what:c,node:i}))}return n.length?o("passes",{items:[
...n,...Bt(t,e,o)].join("; ")}):""}function Bt(t,e,o){let n=new Set;for(let{names:r}of e.derivatives??
[])for(let[s,a]of Object.entries(r)){let c=e.saved?.find(l=>l.role===a),i=s==="result"?e.id:c?.node;
if(s!==a||i===void 0||i===null)continue;let d=t.nodes[i],p=d.kind==="function";n.add(o(p?"isMade":"i\
sTensor",{name:s,node:C(d,o)}))}return n}function Nt(t,e){let{gradient:o,name:n}=t,r=t.outputs[0]?.flags,
s=o?P(o,e):"";if(t.kind==="leaf"){let a={node:C(t,e),size:s,shape:G(r?.grad??null)};return!o||!r?[e(
"kept",a)]:[e(r.grad?"added":"first",a)]}return!n||!r||r.is_leaf?[]:[e(r.retains_grad?"retained":"no\
tKept",{node:n})]}function Dt(t,e,o){let n=e.gradient;return o("part",{size:P(n,o),node:C(t.nodes[e.
to],o)})}function P(t,e){return typeof t.values=="number"?X(t.values):e("norm",{norm:t.norm??"?"})}function C(t,e){
return t.kind==="function"?t.op:t.name??e("unnamed")}function G(t){return t?t.length===1?`(${t[0]},)`:
`(${t.join(", ")})`:"?"}function X(t){return Array.isArray(t)?`[${t.map(X).join(", ")}]`:String(t).replace(
"-","−")}var mt="autogradgraph-formula",Ht=4,Rt=[.5,.35,.65,.2,.8];function Q(t,e,o,n){for(let s of t.querySelectorAll(
`.${mt}`))s.remove();if(!o)return;let r=o.edges.filter(s=>s.to===n);for(let{edge:s,from:a}of e){let c=r.
findIndex(l=>l.from===a),i=s.querySelector("path");if(c<0||!i)continue;let[d]=r.splice(c,1),p=J(o,d);
p&&Wt(t,i,p)}}function Wt(t,e,o){let n=document.createElementNS("http://www.w3.org/2000/svg","text");
n.classList.add(mt),n.setAttribute("aria-hidden","true"),n.textContent=o;let r=e.closest("svg > g");
r.append(n);let{width:s,height:a}=n.getBBox(),c=s/2+Ht,i=-r.transform.baseVal.getItem(0).matrix.e,d=i+
t.viewBox.baseVal.width-c,p=e.parentElement?.querySelector("text.carried"),l=[...r.querySelectorAll(
"text.carried, .node rect, .node .note")].map(S=>S.getBBox()),w={x:0,y:0,covers:Number.POSITIVE_INFINITY};
for(let S of Rt){let{x:k,y:T}=e.getPointAtLength(e.getTotalLength()*S),h=p&&p.getBBox().x>k;for(let L of h?
[k-c,k+c]:[k,k-c,k+c]){let x=Math.max(i+c,Math.min(L,d)),g=l.filter(f=>Math.abs(f.x+f.width/2-x)<(f.
width+s)/2&&Math.abs(f.y+f.height/2-T)<(f.height+a)/2).length;g<w.covers&&(w={x,y:T,covers:g})}}n.setAttribute(
"x",String(w.x)),n.setAttribute("y",String(w.y)),n.setAttribute("dy",".35em")}var jt=1200,Pt=35;function ht(t,e){let o=t.parentElement?.querySelector("script.autogradgraph-data"),
n=t.querySelector(".order")!==null;if(!n&&!o?.textContent?.includes('"values"'))return;let r=JSON.parse(
o?.textContent||'{"nodes": [], "edges": [], "outputs": []}'),s=$(m("passes_label"));t.after(s);let a=n?
"backward":"forward",c=0,i=0,d=y(s,`◀ ${m("before")}`,()=>{g(),S(c-1)}),p={forward:y(s,"",()=>L("f\
orward")),backward:y(s,"",()=>L("backward"))};p.backward.hidden=!n;let l=y(s,`${m("next")} ▶`,()=>{
g(),S(c+1)}),w=N(s);w.className="autogradgraph-player";function S(f){let u=Z(t,a);c=Math.max(0,Math.
min(f,u.length)),k();for(let{boxes:b}of u.slice(0,Math.max(0,c-1)))I(b,"done");a==="forward"&&c&&T(u.
slice(c)),w.textContent=c?h(u):"",d.disabled=c===0,l.disabled=c===u.length,c===u.length&&g()}function k(){
for(let f of["now","done","flow","ahead"])for(let u of e().querySelectorAll(`.autogradgraph-${f}`))u.
classList.remove(`autogradgraph-${f}`);Q(e(),[]);for(let f of document.querySelectorAll(".autogradgr\
aph-line.autogradgraph-now"))f.classList.remove("autogradgraph-now")}function T(f){let u=new Set(f.flatMap(
b=>b.boxes));I(u,"ahead");for(let{node:b,into:v}of q(e()).values())u.has(b)&&I(v.map(({edge:tt})=>tt),
"ahead")}function h(f){let{boxes:u,id:b}=f[c-1];I(u,"now"),u[0].scrollIntoView({block:"nearest",inline:"\
nearest"}),_(u[0])?.classList.add("autogradgraph-now");let v=q(e()),et=[...v.values()].filter(({node:E})=>u.
includes(E)).flatMap(E=>E.into);I(et.map(({edge:E})=>E),"flow");let V={number:c,count:f.length},B=b===
null?void 0:r.nodes[b];if(!B){let E=u[0].querySelector(".op, .name, .meta")?.textContent??"",z=a==="\
backward"?m("reached",{node:E}):U(u[0]);return`${m("step",V)} ${z}`}if(a==="forward")return`${m("ste\
p",V)} ${pt(B,m)}`;let yt=et.map(({edge:E,to:z})=>({edge:E,from:gt(v.get(z)?.node)}));return Q(e(),yt,
r,B.id),`${m("step",V)} ${ft(r,B.id,m)}`}function L(f){let u=i!==0;if(g(),u&&f===a)return;let b=Z(t,
f).length;(f!==a||c===b)&&(a=f,c=0),x()}function x(){if(S(c+1),c===Z(t,a).length)return;let f=w.textContent?.
length??0;i=window.setTimeout(x,Math.max(jt,Pt*f)),p[a].textContent=`❚❚ ${m("pause")}`}function g(){
clearTimeout(i),i=0,p.forward.textContent=`▶ ${m("playForward")}`,p.backward.textContent=`▶ ${m(
"play")}`}g(),S(0)}function Z(t,e){let o=new Map;for(let n of A(t)){let r=n.querySelector(".order")?.
textContent,s=n.dataset.node??"";if(!(e==="backward"?r:n.matches(".function, .module, .output")))continue;
let c=e==="backward"?Number.parseInt(r??"",10):Vt(s),i=o.get(s)??{boxes:[],rank:c,id:gt(n)};i.boxes.
push(n),o.set(s,i)}return[...o.values()].sort((n,r)=>n.rank-r.rank)}function gt(t){let e=t?.dataset.
node??"";return/^\d+$/.test(e)?Number(e):null}function Vt(t){return Number(t.split(/[ -]/).pop())}function I(t,e){
for(let o of t)o.classList.add(`autogradgraph-${e}`)}var zt=40,Kt=1.04;function wt(t){let e=JSON.parse(t.dataset.levels??"[{}]");if(e[0].svg=M(t)??void 0,
!e[0].svg||!nt())return;let o=0,n=()=>e[o].svg,r=$();t.before(r);let s=y(r,`− ${m("close")}`,()=>w(
o-1)),a=y(r,`+ ${m("open")}`,()=>w(o+1)),c=N(r),i=D(r,n),d={canvas:t,shown:n,search:i,onShow(){},fit:l,
showOutput:j},p=y(r,m("full"),()=>it(d));y(r,m("copy"),h=>rt(n(),h));for(let h of[s,a,c])h.hidden=e.
length===1;ht(t,n),T(0),k(),j(t),new ResizeObserver(l).observe(t);function l(){let h=M(t);if(!h)return;
t.style.maxHeight=t.scrollHeight>Kt*window.innerHeight?"":"none";let L=t.scrollWidth>t.clientWidth+1||
t.scrollHeight>t.clientHeight+1,x={tabindex:"0",role:"region","aria-label":Ft(t)};for(let[f,u]of Object.
entries(x))L?t.setAttribute(f,u):t.removeAttribute(f);p.hidden=!L&&h.clientWidth>=h.viewBox.baseVal.
width-1,i.input.hidden=A(t).length<=zt;let g=[p,i.input,a].every(f=>f.hidden);r.classList.toggle("au\
togradgraph-quiet",g)}async function w(h,L){if(!e[h])return;let x=n();t.setAttribute("aria-busy","tr\
ue");try{e[h].svg||(e[h].svg=await ut(e[h]),T(h))}catch{e.length=h,k();return}finally{t.removeAttribute(
"aria-busy")}let g=x.parentElement,f=L??Ut(x,g),u=f&&O(f);x.replaceWith(S(h)),k(),d.onShow();let b=f&&
st(n(),at(f.dataset.node??""));if(!u||!b){j(g);return}let v=()=>({x:O(b).x-u.x,y:O(b).y-u.y});g.scrollLeft+=
v().x,g.scrollTop+=v().y,L&&(g===t&&window.scrollBy(0,v().y),b.scrollIntoView({block:"nearest",inline:"\
nearest"}),b.focus({preventScroll:!0}))}function S(h){return o=h,n()}function k(){let h=document.activeElement;
s.disabled=o===0,a.disabled=o===e.length-1,e.length>1&&(c.textContent=m("state",{count:(e[o].nodes??
0).toLocaleString()})),h===s&&s.disabled&&a.focus(),h===a&&a.disabled&&s.focus(),i.update(),l()}function T(h){
if(h===e.length-1)return;let L=".node.module:not(.cut)";for(let x of e[h].svg?.querySelectorAll(L)??
[]){x.classList.add("autogradgraph-opens");let g=u=>{o!==e.length-1&&(u.preventDefault(),w(o+1,x))},
f=u=>u.target.closest("a")!==null;x.addEventListener("click",u=>{(u.detail===0||u.ctrlKey||u.metaKey||
u.shiftKey)&&f(u)||g(u)}),x.addEventListener("keydown",u=>{u.key==="Enter"&&!f(u)&&g(u)})}}}function Ft(t){
return(t.parentElement?.querySelector("figcaption .caption-text")??t.querySelector("title"))?.textContent??
""}function Ut(t,e){let o=O(e),n,r=Number.POSITIVE_INFINITY;for(let s of t.querySelectorAll(".node")){
let{x:a,y:c}=O(s),i=Math.hypot(a-o.x,c-o.y);i<r&&(r=i,n=s)}return n}var Yt=["class","style","data-theme","data-mode","data-bs-theme","data-md-color-scheme"];function bt(){
let t=document.documentElement,e=()=>{let r=document.querySelector(".autogradgraph")??document.body;
t.dataset.autogradgraphScheme=_t(r)??(Gt()?"dark":"light")},o="autogradgraphScheme"in t.dataset;if(e(),
o)return;let n=new MutationObserver(e);for(let r of[t,document.body])n.observe(r,{attributes:!0,attributeFilter:Yt});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change",e)}function _t(t){for(let e=t.parentElement;e;e=
e.parentElement){let o=Jt(getComputedStyle(e).backgroundColor);if(o!==null)return o?"dark":"light"}return null}
function Jt(t){let e=t.match(/[\d.]+/g)?.map(Number);if(!e||e.length<3||e[3]===0)return null;let[o,n,
r]=e;return .2126*o+.7152*n+.0722*r<128}function Gt(){return getComputedStyle(document.documentElement).
colorScheme.includes("dark")&&matchMedia("(prefers-color-scheme: dark)").matches}function xt(){ot(),bt();let t=".autogradgraph > .autogradgraph-canvas:not([data-autogradgraph-ready]\
)";for(let e of document.querySelectorAll(t))e instanceof HTMLElement&&(e.dataset.autogradgraphReady=
"",wt(e),W(e))}document.readyState==="loading"?document.addEventListener("DOMContentLoaded",xt):xt();})();
