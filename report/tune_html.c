/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page about a search: a chart by dygraphs and a table, in one file that
 * asks for nothing else, and a browser that keeps to its
 * Content-Security-Policy would give it nothing. What users named is escaped: a
 * scenario's name cannot become markup or script.
 *
 * When a chart has been drawn, the page's body gets data-points (rows of the
 * chart) and data-ink (pixels that are not background), which
 * tests/tune_page.sh looks for.
 */
#include "report/report_priv.h"
#include "report/tune_priv.h"

#include <stdlib.h>
#include <string.h>

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;"
    "padding:0 1em;color:#222;background:#fff}\n"
    "h1{font-size:1.4em}table{border-collapse:collapse;font-variant-numeric:"
    "tabular-nums}\n"
    "th,td{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}\n"
    "th:last-child,td:last-child{text-align:left}\n"
    "tr.chosen td{background:#e3f4e3}tr.baseline td{background:#f4efe3}\n"
    "#chart{width:100%;height:26em}.partial{color:#a00;font-weight:bold}\n"
    "pre{white-space:pre-wrap;font-size:12px}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1em}"
    "dd{margin:0}#legend{min-height:1.5em;text-align:right}\n";

/* Rows of the chart: x, then one column for each kind of point. */
static const char script[] =
    "'use strict';\n"
    "const kinds=['other points','front','front, validated','baseline',"
    "'picked'];\n"
    "const colours=['#9aa7b4','#1f5fa8','#c2701c','#7a5c00','#1c8a3c'];\n"
    "const pick=(id)=>document.getElementById(id).value;\n"
    "const label=(id)=>document.getElementById(id).selectedOptions[0].text;\n"
    "function rows(x,y){\n"
    "  const out=[];\n"
    "  const put=(v,kind)=>{if(!v||v[x]===null||v[y]===null)return;\n"
    "    const "
    "r=[v[x],null,null,null,null,null];r[1+kind]=v[y];out.push(r);};\n"
    "  for(const p of tune.points){\n"
    "    put(p.tuned,p.place>0?1:0);\n"
    "    if(p.place>0)put(p.validated,2);\n"
    "    if(p.baseline)put(p.tuned,3);\n"
    "    if(p.chosen)put(p.tuned,4);\n"
    "  }\n"
    "  return out.sort((a,b)=>a[0]-b[0]);\n"
    "}\n"
    "function done(g){\n"
    "  const c=g.hidden_;let ink=0;\n"
    "  const px=c.getContext('2d').getImageData(0,0,c.width,c.height).data;\n"
    "  for(let i=3;i<px.length;i+=4)if(px[i]>0)ink++;\n"
    "  document.body.setAttribute('data-points',g.numRows());\n"
    "  document.body.setAttribute('data-ink',ink);\n"
    "}\n"
    "function draw(){\n"
    "  const x=pick('x'),y=pick('y'),data=rows(x,y);\n"
    "  const dot=(size)=>({strokeWidth:0,drawPoints:true,pointSize:size});\n"
    "  if(data.length===0)return;\n"
    "  const pad=(k)=>{const v=data.map(r=>k?Math.max(...r.slice(1)\n"
    "      .filter(c=>c!==null)):r[0]);\n"
    "    const lo=Math.min(...v),hi=Math.max(...v),m=(hi-lo)*0.05||1;\n"
    "    return [lo-m,hi+m];};\n"
    "  new Dygraph(document.getElementById('chart'),data,{\n"
    "    labels:[x].concat(kinds),xlabel:label('x'),ylabel:label('y'),\n"
    "    colors:colours,axes:{y:{axisLabelWidth:80}},\n"
    "    dateWindow:pad(0),valueRange:pad(1),legend:'always',\n"
    "    labelsDiv:document.getElementById('legend'),\n"
    "    connectSeparatedPoints:true,series:{\n"
    "      [kinds[0]]:dot(2.5),[kinds[1]]:{strokeWidth:1,drawPoints:true,"
    "pointSize:3.5},\n"
    "      [kinds[2]]:dot(3),[kinds[3]]:dot(5),[kinds[4]]:dot(6)},\n"
    "    drawCallback:done});\n"
    "}\n"
    "for(const id of ['x','y'])\n"
    "  document.getElementById(id).addEventListener('change',draw);\n"
    "draw();\n";

/* The browser is told to load nothing at all, whatever is in here. */
static const char policy[] =
    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\n";

static void put_escaped(FILE *f, const char *s, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (s[i]) {
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            fputc(s[i], f);
        }
    }
}

static void put_text(FILE *f, const char *s)
{
    char clean[1024];

    bl__name(s, 0, true, clean, sizeof(clean));
    put_escaped(f, clean, strlen(clean));
}

static void put_bytes(FILE *f, const struct bl__bytes *b)
{
    fwrite(b->at, 1, b->size, f);
}

/* JSON inside a script: no "</script>" or "<!--" may appear in it. A '<' of
 * JSON is in a string, where \u003c means the same. */
static bl_err put_data(FILE *f, const struct bl_tune_report *t)
{
    json_t *o = bl__tune_object(t);
    char *text = o != NULL
                     ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17))
                     : NULL;

    json_decref(o);
    if (text == NULL)
        return BL_ERR_NOMEM;
    fputs("const tune=", f);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '<')
            fputs("\\u003c", f);
        else
            fputc(*c, f);
    }
    fputs(";\n", f);
    free(text); /* jansson's allocator is malloc: nobody sets another */
    return BL_ERR_OK;
}

static void put_term(FILE *f, const char *term, const char *text, uint64_t hash)
{
    fprintf(f, "<dt>%s<dd>", term);
    put_text(f, text);
    if (hash != 0)
        fprintf(f, " <code>%016llx</code>", (unsigned long long)hash);
    fputc('\n', f);
}

static void put_head(FILE *f, const struct bl_tune_report *t)
{
    char words[1024];

    fputs("<h1>ballast tune: ", f);
    put_text(f, t->scenario);
    fputs("</h1>\n", f);
    if (t->partial)
        fprintf(f,
                "<p class=partial>PARTIAL: interrupted; %llu of %llu runs are "
                "complete, and the front is that of these.</p>\n",
                (unsigned long long)t->runs_done,
                (unsigned long long)t->runs_all);
    fputs("<dl>\n", f);
    put_term(f, "version", t->version, 0);
    put_term(f, "scenario", t->scenario, t->scenario_hash);
    for (uint32_t i = 0; i < t->day_count; i++)
        put_term(f, i == 0 ? "tuned on" : "", t->day[i].name, t->day[i].hash);
    for (uint32_t i = 0; i < t->other_count; i++)
        put_term(f, i == 0 ? "validated on" : "", t->other_day[i].name,
                 t->other_day[i].hash);
    snprintf(words, sizeof(words), "%s, seed %llu", t->physics,
             (unsigned long long)t->seed);
    put_term(f, "physics", words, 0);
    put_term(f, "search", t->strategy, 0);
    for (uint32_t k = 0; k < t->space->dim_count; k++) {
        bl_space_dim_print(t->space, k, words, sizeof(words));
        put_term(f, k == 0 ? "vary" : "", words, 0);
    }
    if (t->chosen != BL_NONE)
        put_term(f, "picked", bl_tune_pick_text(&t->pick), 0);
    fputs("</dl>\n", f);
}

static void put_choice(FILE *f, const struct bl_tune_report *t, const char *id,
                       uint32_t selected)
{
    fprintf(f, "<label>%s <select id=%s>", id[0] == 'x' ? "across" : "up", id);
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        fprintf(f, "<option value=%s%s>%s%s%s</option>", bl_objective_name(o),
                o == t->objectives.of[selected] ? " selected" : "",
                bl_objective_name(o), bl_objective_unit(o)[0] ? ", " : "",
                bl_objective_unit(o));
    fputs("</select></label>\n", f);
}

static void put_values(FILE *f, const struct bl_tune_report *t,
                       const double *value, bool known)
{
    for (uint32_t k = 0; k < t->objectives.count; k++) {
        if (known)
            fprintf(f, "<td>%.6g", value[t->objectives.of[k]]);
        else
            fputs("<td>-", f);
    }
}

static void put_row(FILE *f, const struct bl_tune_report *t, uint32_t row)
{
    const struct bl_tune_row *r = &t->row[row];
    char words[1024];

    fprintf(f, "<tr%s><td>",
            row == t->chosen ? " class=chosen"
            : row == 0       ? " class=baseline"
                             : "");
    if (r->place > 0)
        fprintf(f, "%u", r->place);
    put_values(f, t, r->tuned, r->complete);
    if (t->other_count > 0)
        put_values(f, t, r->other, r->validated);
    bl__tune_point(t, row, words, sizeof(words));
    fputs("<td>", f);
    put_text(f, words);
    fputs(row == t->chosen ? " (picked)\n" : "\n", f);
}

static void put_table(FILE *f, const struct bl_tune_report *t)
{
    const uint32_t sets = t->other_count > 0 ? 2 : 1;

    fputs("<table>\n", f);
    if (sets == 2)
        fprintf(f, "<tr><th><th colspan=%u>tuned<th colspan=%u>validated<th>\n",
                t->objectives.count, t->objectives.count);
    fputs("<tr><th>#", f);
    for (uint32_t i = 0; i < sets; i++) {
        for (uint32_t k = 0; k < t->objectives.count; k++) {
            const uint32_t o = t->objectives.of[k];

            fprintf(f, "<th>%s %s", bl_objective_name(o), bl_objective_unit(o));
        }
    }
    fputs("<th>parameters\n", f);
    for (uint32_t i = 0; i < t->front_count; i++)
        put_row(f, t, t->front[i]);
    if (t->row[0].complete && t->row[0].place == 0)
        put_row(f, t, 0);
    fputs("</table>\n", f);
}

bl_err bl_tune_html(FILE *f, const struct bl_tune_report *t)
{
    const uint32_t second = t->objectives.count > 1 ? 1 : 0;

    fprintf(f,
            "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n%s"
            "<title>ballast tune: ",
            policy);
    put_text(f, t->scenario);
    fputs("</title>\n<style>\n", f);
    put_bytes(f, &bl__dygraphs_css);
    fprintf(f, "\n%s</style>\n<body>\n", style);
    put_head(f, t);
    put_choice(f, t, "x", 0);
    put_choice(f, t, "y", second);
    /* beside the chart: in it, it would hide what is worst in both */
    fputs("<div id=legend></div>\n<div id=chart></div>\n", f);
    put_table(f, t);
    fputs(
        "<p>Grey: points that another one is better than, or equal to; blue: "
        "the front; orange: the front on the traces for validation.",
        f);
    if (t->chosen != BL_NONE)
        fputs(" The picked point is in policy.yaml.", f);
    fputs(
        "</p>\n"
        "<details><summary>The chart is drawn by dygraphs; its licence"
        "</summary><pre>\n",
        f);
    put_escaped(f, (const char *)bl__dygraphs_licence.at,
                bl__dygraphs_licence.size);
    fputs("</pre></details>\n<script>\n", f);
    put_bytes(f, &bl__dygraphs_js);
    fputs("\n</script>\n<script>\n", f);
    BL_TRY(put_data(f, t));
    fprintf(f, "%s</script>\n</html>\n", script);
    return BL_ERR_OK;
}
