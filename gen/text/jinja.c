// SPDX-License-Identifier: Apache-2.0
// Owns the statements of templates: text, {{ }}, if, for, set, and what is skipped.
#include "gen/text/jinja.h"

#include <stdlib.h>
#include <string.h>

#include "gen/text/jinja_value.h"

enum { MAX_PIECES = 1 << 14, MAX_DEPTH = 32 };

enum piece_kind { TEXT, OUTPUT, STATEMENT };

struct piece {
    enum piece_kind kind;
    const char *at, *end;
    int line;
};

struct program {
    struct hw_jinja *j;
    struct piece *piece;
    int n;
    int depth;
};

// --- cutting the template into pieces

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

// The end of a tag's inside, "%}" and the like, outside of strings. NULL: there is none.
static const char *tag_end(const char *at, const char *close, bool strings)
{
    char quote = '\0';
    for (; *at; at++) {
        if (quote) {
            if (*at == '\\' && at[1])
                at++;
            else if (*at == quote)
                quote = '\0';
        } else if (strings && (*at == '\'' || *at == '"')) {
            quote = *at;
        } else if (at[0] == close[0] && at[1] == close[1]) {
            return at;
        }
    }
    return NULL;
}

// Drops the spaces before a statement that begins its line, or all space before "{%-".
static const char *cut_before(const char *begin, const char *end, const char *tag, bool line_start)
{
    const char *at = end;
    if (tag[2] == '-') {
        while (at > begin && is_space(at[-1]))
            at--;
        return at;
    }
    if (tag[1] == '{' || tag[2] == '+')
        return end;
    while (at > begin && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    return (at > begin && at[-1] == '\n') || (at == begin && line_start) ? at : end;
}

static void add_piece(struct program *p, enum piece_kind kind, const char *at, const char *end,
                      int line)
{
    if (p->n == MAX_PIECES)
        hw_jinja_fail(p->j, "fewer pieces", "more than 16384");
    else
        p->piece[p->n++] = (struct piece){kind, at, end, line};
}

static void cut_template(struct program *p, const char *at)
{
    bool line_start = true; // lstrip_blocks holds at the template's beginning, and after a line end
    while (*at && !hw_jinja_failed(p->j)) {
        const char *tag = at;
        while (*tag && !(tag[0] == '{' && (tag[1] == '{' || tag[1] == '%' || tag[1] == '#')))
            tag++;
        const char *end = *tag ? cut_before(at, tag, tag, line_start) : tag;
        if (!*tag && end > at && end[-1] == '\n')
            end--; // the last line end is not the template's
        add_piece(p, TEXT, at, end, p->j->line);
        for (; at < tag; at++)
            p->j->line += *at == '\n';
        if (!*tag)
            return;
        const char close[] = {tag[1] == '{' ? '}' : tag[1], '}', '\0'};
        const char *inside = tag + 2 + (tag[2] == '-' || tag[2] == '+');
        const char *stop = tag_end(inside, close, tag[1] != '#');
        if (!stop) {
            hw_jinja_fail(p->j, "the end of a tag", "none");
            return;
        }
        bool cut = stop > inside && stop[-1] == '-', keep = stop > inside && stop[-1] == '+';
        if (tag[1] != '#')
            add_piece(p, tag[1] == '{' ? OUTPUT : STATEMENT, inside, stop - (cut || keep),
                      p->j->line);
        for (at = tag; at < stop + 2; at++)
            p->j->line += *at == '\n';
        const char *next = at;
        while (cut && is_space(*next))
            next++;
        if (!cut && !keep && tag[1] != '{' && *next == '\n')
            next++;
        line_start = next > at && next[-1] == '\n';
        for (; at < next; at++)
            p->j->line += *at == '\n';
    }
}

// --- running them

static int run(struct program *p, int at, bool live);

static void begin(struct program *p, int at)
{
    const struct piece *piece = &p->piece[at];
    p->j->at = piece->at;
    p->j->end = piece->end;
    p->j->line = piece->line;
}

// Whether the piece is a statement that begins with this word, which is passed.
static bool is_statement(struct program *p, int at, const char *word)
{
    if (at >= p->n || p->piece[at].kind != STATEMENT)
        return false;
    begin(p, at);
    return hw_jinja_word(p->j, word);
}

static bool condition(struct program *p, bool live)
{
    if (!live)
        return false;
    struct hw_jinja_value v = hw_jinja_expression(p->j);
    hw_jinja_end(p->j);
    return hw_jinja_truth(v);
}

static int run_if(struct program *p, int at, bool live)
{
    bool taken = condition(p, live), done = taken;
    at = run(p, at + 1, live && taken);
    while (at < p->n && !hw_jinja_failed(p->j)) {
        if (is_statement(p, at, "elif")) {
            taken = condition(p, live && !done);
            done = done || taken;
            at = run(p, at + 1, live && taken);
        } else if (is_statement(p, at, "else")) {
            at = run(p, at + 1, live && !done);
            done = true;
        } else {
            break;
        }
    }
    if (!hw_jinja_failed(p->j) && !is_statement(p, at, "endif"))
        hw_jinja_fail(p->j, "endif", "something else");
    return at + 1;
}

static int run_for(struct program *p, int at, bool live)
{
    struct hw_jinja *j = p->j;
    struct hw_jinja_name name[2];
    struct hw_jinja_value list = {0};
    int n_names = 0, body = at + 1, n = 0, mark = j->n_variables;
    const char *filter = NULL, *filter_end = j->end;
    if (live) {
        do {
            name[n_names++] = hw_jinja_name(j);
        } while (n_names < 2 && hw_jinja_operator(j, ","));
        if (!hw_jinja_word(j, "in"))
            hw_jinja_fail(j, "in", "something else");
        list = hw_jinja_plain_expression(j);
        if (hw_jinja_word(j, "if"))
            filter = j->at;
        else
            hw_jinja_end(j);
        if (list.kind != HW_JINJA_LIST && !hw_jinja_failed(j))
            hw_jinja_raise(j, "a list to go through");
    }
    bool chosen[2 * HW_JINJA_MAX_ITEMS] = {false};
    for (int i = 0; !hw_jinja_failed(j) && live && i < list.box->n; i++) {
        hw_jinja_bind(j, name, n_names, list.box->item[i]);
        j->at = filter;
        j->end = filter_end;
        chosen[i] = !filter || hw_jinja_truth(hw_jinja_expression(j));
        n += chosen[i];
        j->n_variables = mark;
    }
    int end = -1, done = 0, outer = j->scope;
    for (int i = 0; !hw_jinja_failed(j) && live && i < list.box->n; i++) {
        if (!chosen[i])
            continue;
        j->scope = mark;
        hw_jinja_bind(j, name, n_names, list.box->item[i]);
        hw_jinja_bind_loop(j, done++, n);
        end = run(p, body, true);
        j->n_variables = mark;
    }
    j->scope = outer;
    if (end < 0)
        end = run(p, body, false);
    if (!hw_jinja_failed(j) && is_statement(p, end, "else"))
        end = run(p, end + 1, live && n == 0);
    if (!hw_jinja_failed(j) && !is_statement(p, end, "endfor"))
        hw_jinja_fail(j, "endfor", "something else");
    return end + 1;
}

static void run_set(struct program *p)
{
    struct hw_jinja *j = p->j;
    struct hw_jinja_name name = hw_jinja_name(j), member = {NULL, 0};
    if (hw_jinja_operator(j, "."))
        member = hw_jinja_name(j);
    if (!hw_jinja_operator(j, "=")) {
        hw_jinja_fail(j, "set NAME = VALUE", "another form of it");
        return;
    }
    struct hw_jinja_value v = hw_jinja_expression(j);
    hw_jinja_end(j);
    if (member.at)
        hw_jinja_set_member(j, name, member, v);
    else
        hw_jinja_set(j, name, v);
}

// A macro is passed over: calling it is what is not known here.
static int skip_macro(struct program *p, int at)
{
    at = run(p, at + 1, false);
    if (!hw_jinja_failed(p->j) && !is_statement(p, at, "endmacro"))
        hw_jinja_fail(p->j, "endmacro", "something else");
    return at + 1;
}

static int run_statement(struct program *p, int at, bool live)
{
    static const char *const marks[] = {"generation", "endgeneration"}; // of transformers, no text
    if (is_statement(p, at, "if"))
        return run_if(p, at, live);
    if (is_statement(p, at, "for"))
        return run_for(p, at, live);
    if (is_statement(p, at, "macro"))
        return skip_macro(p, at);
    if (is_statement(p, at, "set")) {
        if (live)
            run_set(p);
        return at + 1;
    }
    for (int i = 0; i < 2; i++)
        if (is_statement(p, at, marks[i]))
            return at + 1;
    begin(p, at);
    struct hw_jinja_name word = hw_jinja_name(p->j);
    hw_jinja_fail(p->j, "if, for or set", hw_jinja_text_of(p->j, word));
    return at + 1;
}

// Whether a statement ends what another one has begun.
static bool ends_block(struct program *p, int at)
{
    static const char *const ends[] = {"elif", "else", "endif", "endfor", "endmacro"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (is_statement(p, at, ends[i]))
            return true;
    return false;
}

// Runs pieces up to the statement that ends the block, whose index is returned. Not live: passes
// over them.
static int run(struct program *p, int at, bool live)
{
    struct hw_jinja *j = p->j;
    if (++p->depth > MAX_DEPTH)
        hw_jinja_fail(j, "at most 32 statements inside each other", "more");
    while (at < p->n && !hw_jinja_failed(j)) {
        const struct piece *piece = &p->piece[at];
        if (piece->kind == STATEMENT) {
            if (ends_block(p, at))
                break;
            at = run_statement(p, at, live);
            continue;
        }
        if (live && piece->kind == TEXT)
            hw_jinja_write(j, piece->at, (size_t)(piece->end - piece->at));
        if (live && piece->kind == OUTPUT) {
            begin(p, at);
            struct hw_jinja_value v = hw_jinja_string(j, hw_jinja_expression(j));
            hw_jinja_end(j);
            hw_jinja_write(j, v.text, v.len);
        }
        at++;
    }
    p->depth--;
    return at;
}

char *hw_jinja_render(const char *jinja, const struct hw_conversation *c, const char *bos,
                      const char *eos, bool *raised, struct hw_error *err)
{
    struct hw_jinja j = {.err = err, .line = 1};
    struct program p = {.j = &j, .piece = calloc(MAX_PIECES, sizeof *p.piece)};
    if (!p.piece || !hw_jinja_begin(&j, c, bos, eos))
        hw_fail(err, "chat template: out of memory");
    if (!err->set)
        cut_template(&p, jinja);
    if (!hw_jinja_failed(&j) && run(&p, 0, true) < p.n && !hw_jinja_failed(&j))
        hw_jinja_fail(&j, "a statement that it belongs to", "none");
    free(p.piece);
    return hw_jinja_finish(&j, raised);
}
