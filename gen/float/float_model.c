// SPDX-License-Identifier: Apache-2.0
// Owns the checkpoint in float: a token through all layers, or many tokens through one layer after
// the other.
#include "gen/float/float_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/lcg.h"
#include "refmodel/tables.h"

// Activations of n tokens: of one, behind those of its sequence in every layer's cache; or of whole
// sequences, whose keys and values need to be kept for the layer at hand only.
struct work {
    int n;
    bool together;                        // whole sequences: token i's keys are row i
    int *pos;                             // [n]
    float *x, *xn, *q, *attn, *gate, *up; // [n][width]
    float *sub;         // [n][widest of dim, n_heads * head_dim, hidden_dim] what a matrix reads
    float *key, *value; // [n_layers][positions][kv_dim], together [n][kv_dim]
};

// What rescaling did to a matrix whose rows are read anew each time: first rows, then columns.
struct edit {
    double *row, *col; // w / row[r] * col[c]; NULL: not rescaled
};

struct hw_float {
    struct hw_config c;
    const struct hw_model *model; // rows of matrices are read from it; NULL: all weights in memory
    int positions;                // of a sequence, at most
    float **tensor[HW_N_TENSORS]; // [layer] -> [rows][cols]; NULL: rows are read from the model
    struct edit *edit[HW_N_TENSORS]; // [layer], of tensors whose rows are read from the model
    float *row;                      // [widest] a row that was read from the model
    struct work one, many;
    float *logits, *score;
    struct hw_evaluation how;
    float *cos, *sin; // [positions][head_dim / 2]
    hw_float_observer *observer;
    void *user;
};

enum { LOGITS_AT_ONCE = 4 << 20 }; // of many tokens

static void *allocate(size_t n, struct hw_error *err)
{
    float *p = calloc(n, sizeof *p);
    if (!p)
        hw_fail(err, "float model: out of memory");
    return p;
}

// --- weights

static bool load(struct hw_float *f, const struct hw_model *model, enum hw_tensor_id id,
                 struct hw_error *err)
{
    int rows, cols, n = hw_tensor_layers(&f->c, id);
    hw_tensor_shape(&f->c, id, &rows, &cols);
    f->tensor[id] = calloc((size_t)n, sizeof *f->tensor[id]);
    f->edit[id] = calloc((size_t)n, sizeof *f->edit[id]);
    if (!f->tensor[id] || !f->edit[id])
        return hw_fail(err, "float model: out of memory");
    for (int l = 0; l < n && !(f->model && hw_tensor_is_matrix(id)); l++) {
        f->tensor[id][l] = allocate((size_t)rows * (size_t)cols, err);
        for (int r = 0; !err->set && r < rows; r++)
            hw_model_row(model, id, l, r, f->tensor[id][l] + (size_t)r * (size_t)cols);
    }
    return !err->set;
}

const float *hw_float_row(const struct hw_float *f, enum hw_tensor_id id, int layer, int row,
                          float *buf)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    if (f->tensor[id][layer])
        return f->tensor[id][layer] + (size_t)row * (size_t)cols;
    const struct edit *e = &f->edit[id][layer];
    hw_model_row(f->model, id, layer, row, buf);
    for (int i = 0; e->row && i < cols; i++)
        buf[i] = (float)(buf[i] / e->row[row]);
    for (int i = 0; e->col && i < cols; i++)
        buf[i] = (float)(buf[i] * e->col[i]);
    return buf;
}

void hw_float_unload(const struct hw_float *f, enum hw_tensor_id id, int layer)
{
    if (!f->tensor[id][layer])
        hw_model_unload(f->model, id, layer);
}

static bool copy_vector(double **vector, const double *t, int n, struct hw_error *err)
{
    if (*vector)
        return hw_fail(err, "float model: expected a matrix to be rescaled once");
    *vector = malloc((size_t)n * sizeof **vector);
    if (!*vector)
        return hw_fail(err, "float model: out of memory");
    memcpy(*vector, t, (size_t)n * sizeof **vector);
    return true;
}

bool hw_float_shrink_rows(struct hw_float *f, enum hw_tensor_id id, int layer, const double *t,
                          struct hw_error *err)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    struct edit *e = &f->edit[id][layer];
    float *w = f->tensor[id][layer];
    if (!w && e->col)
        return hw_fail(err, "float model: expected rows to be rescaled before columns");
    if (!w)
        return copy_vector(&e->row, t, rows, err);
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < cols; i++, w++)
            *w = (float)(*w / t[r]);
    }
    return true;
}

bool hw_float_scale_columns(struct hw_float *f, enum hw_tensor_id id, int layer, const double *t,
                            struct hw_error *err)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    float *w = f->tensor[id][layer];
    if (!w)
        return copy_vector(&f->edit[id][layer].col, t, cols, err);
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < cols; i++, w++)
            *w = (float)(*w * t[i]);
    }
    return true;
}

// --- memory

static size_t widest(const struct hw_config *c)
{
    int q_dim = c->n_heads * c->head_dim, most = c->dim > c->hidden_dim ? c->dim : c->hidden_dim;
    return (size_t)(most > q_dim ? most : q_dim);
}

static bool work_new(struct work *w, const struct hw_config *c, int n, size_t kv_rows,
                     struct hw_error *err)
{
    size_t kv_dim = (size_t)c->n_kv_heads * (size_t)c->head_dim, dim = (size_t)c->dim;
    size_t q_dim = (size_t)c->n_heads * (size_t)c->head_dim, hidden = (size_t)c->hidden_dim;
    size_t k = (size_t)n;
    *w = (struct work){.n = n};
    w->pos = allocate(k, err);
    w->key = allocate(kv_rows * kv_dim, err);
    w->value = allocate(kv_rows * kv_dim, err);
    w->x = allocate(k * dim, err);
    w->xn = allocate(k * dim, err);
    w->q = allocate(k * q_dim, err);
    w->attn = allocate(k * q_dim, err);
    w->gate = allocate(k * hidden, err);
    w->up = allocate(k * hidden, err);
    w->sub = allocate(k * widest(c), err);
    return !err->set;
}

static void work_free(struct work *w)
{
    float *part[] = {w->x, w->xn, w->q, w->attn, w->gate, w->up, w->sub, w->key, w->value};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        free(part[i]);
    free(w->pos);
    *w = (struct work){0};
}

static struct hw_float *float_new(const struct hw_model *model, int positions, bool streamed,
                                  struct hw_error *err)
{
    struct hw_float *f = calloc(1, sizeof *f);
    if (!f) {
        hw_fail(err, "float model: out of memory");
        return NULL;
    }
    f->c = *hw_model_config(model);
    f->how = hw_model_evaluation(model);
    f->model = streamed ? model : NULL;
    f->positions = positions < f->c.seq_len ? positions : f->c.seq_len;
    const struct hw_config *c = &f->c;
    size_t seq = (size_t)f->positions;
    for (int id = 0; id < HW_N_TENSORS && !err->set; id++) {
        if (hw_tensor_exists(c, (enum hw_tensor_id)id))
            load(f, model, (enum hw_tensor_id)id, err);
    }
    work_new(&f->one, c, 1, (size_t)c->n_layers * seq, err);
    f->row = allocate(widest(c), err);
    f->logits = allocate((size_t)c->vocab_size, err);
    f->score = allocate(seq, err);
    f->cos = allocate(seq * (size_t)c->head_dim / 2, err);
    f->sin = allocate(seq * (size_t)c->head_dim / 2, err);
    if (err->set) {
        hw_float_free(f);
        return NULL;
    }
    hw_rope_table(c, f->positions, f->cos, f->sin);
    return f;
}

struct hw_float *hw_float_new(const struct hw_model *model, struct hw_error *err)
{
    return float_new(model, hw_model_config(model)->seq_len, false, err);
}

struct hw_float *hw_float_stream(const struct hw_model *model, int positions, struct hw_error *err)
{
    return float_new(model, positions, true, err);
}

void hw_float_free(struct hw_float *f)
{
    if (!f)
        return;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        for (int l = 0; l < hw_tensor_layers(&f->c, (enum hw_tensor_id)id); l++) {
            if (f->tensor[id])
                free(f->tensor[id][l]);
            if (f->edit[id]) {
                free(f->edit[id][l].row);
                free(f->edit[id][l].col);
            }
        }
        free(f->tensor[id]);
        free(f->edit[id]);
    }
    work_free(&f->one);
    work_free(&f->many);
    float *part[] = {f->logits, f->score, f->cos, f->sin, f->row};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        free(part[i]);
    free(f);
}

void hw_float_observe(struct hw_float *f, hw_float_observer *fn, void *user)
{
    f->observer = fn;
    f->user = user;
}

const float *hw_float_tensor(const struct hw_float *f, enum hw_tensor_id id, int layer)
{
    return f->tensor[id][layer];
}

float *hw_float_edit(struct hw_float *f, enum hw_tensor_id id, int layer)
{
    return f->tensor[id][layer];
}

// Each token's vector v[n] in turn.
static void see_rows(const struct hw_float *f, int n_tokens, enum hw_float_tap tap, int layer,
                     const float *v, int n)
{
    for (int i = 0; f->observer && i < n_tokens; i++)
        f->observer(f->user, tap, layer, v + (size_t)i * (size_t)n, n);
}

// Eight sums side by side, added at the end: fast, and one order on every machine.
static float dot(const float *a, const float *b, int n)
{
    float lane[8] = {0};
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++)
            lane[k] += a[i + k] * b[i + k];
    }
    for (; i < n; i++)
        lane[i & 7] += a[i] * b[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

// y[i][r] = w[r] . x[i] for n tokens i
static void linear(const struct hw_float *f, enum hw_tensor_id id, int layer, const float *x,
                   float *y, int n)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    for (int r = 0; r < rows; r++) {
        const float *w = hw_float_row(f, id, layer, r, f->row);
        for (int i = 0; i < n; i++)
            y[(size_t)i * (size_t)rows + (size_t)r] = dot(w, x + (size_t)i * (size_t)cols, cols);
    }
    hw_float_unload(f, id, layer);
}

// What a layer's matrices read of x[n][width]: x itself, or rounded to 8 bits against the largest
// magnitude of a token.
static const float *matrix_input(const struct hw_float *f, const struct work *w, const float *x,
                                 int width)
{
    float *y = w->sub;
    if (!f->how.int8_act)
        return x;
    for (int t = 0; t < w->n; t++, x += width, y += width) {
        float top = 0.0f;
        for (int i = 0; i < width; i++)
            top = fabsf(x[i]) > top ? fabsf(x[i]) : top;
        for (int i = 0; i < width; i++)
            y[i] = top > 0.0f ? (float)floor(x[i] * 127.0 / top + 0.5) * (top / 127.0f) : 0.0f;
    }
    return w->sub;
}

// --- kernels of a layer (layer.h): the same bits on every machine

struct view { // of a pass's user
    struct hw_float *f;
    const struct work *w;
};

static void multiply(const struct hw_pass *p, enum hw_tensor_id id, int layer, const float *x,
                     float *y)
{
    const struct view *v = p->user;
    int rows, cols;
    hw_tensor_shape(p->c, id, &rows, &cols);
    linear(v->f, id, layer, matrix_input(v->f, v->w, x, cols), y, p->n);
}

static const float *vector(const struct hw_pass *p, enum hw_tensor_id id, int layer)
{
    const struct view *v = p->user;
    return v->f->tensor[id][layer];
}

// Zeros stay zeros.
static void rmsnorm(const float *x, int rows, int width, const float *gain, double eps,
                    float *inverse, float *y)
{
    (void)inverse; // no backward pass
    for (int t = 0; t < rows; t++, x += width, y += width) {
        double mean = (double)dot(x, x, width) / width + eps;
        double scale = mean > 0.0 ? 1.0 / sqrt(mean) : 0.0;
        for (int i = 0; i < width; i++)
            y[i] = (float)(x[i] * scale) * gain[i];
    }
}

// score[0..n-1] becomes its softmax
static void softmax(float *score, int n)
{
    float max = score[0], sum = 0.0f;
    for (int i = 1; i < n; i++)
        max = score[i] > max ? score[i] : max;
    for (int i = 0; i < n; i++) {
        score[i] = (float)hw_exp(score[i] - max);
        sum += score[i];
    }
    for (int i = 0; i < n; i++)
        score[i] /= sum;
}

// Token i's head over its sequence up to itself, or over the window of its layer. Keys and values
// of the sequence's earlier tokens lie before its own.
static void attend_head(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v, int i,
                        int head)
{
    const struct view *view = p->user;
    float *score = view->f->score;
    int hd = p->c->head_dim, pos = p->pos[i], group = p->c->n_heads / p->c->n_kv_heads;
    size_t kv_dim = (size_t)p->c->n_kv_heads * (size_t)hd;
    size_t q_dim = (size_t)p->c->n_heads * (size_t)hd;
    ptrdiff_t base = (ptrdiff_t)(i - pos) * (ptrdiff_t)kv_dim + (head / group) * hd;
    const float *key = v->made[HW_KEYS] + base, *value = v->made[HW_VALUES] + base;
    size_t at = (size_t)i * q_dim + (size_t)head * (size_t)hd;
    float *out = v->attn + at, scale = (float)(1.0 / sqrt(hd));
    int kept = hw_positions_kept(p->c, layer), first = pos < kept ? 0 : pos + 1 - kept;
    for (int k = first; k <= pos; k++)
        score[k] = dot(v->made[HW_QUERIES] + at, key + (size_t)k * kv_dim, hd) * scale;
    softmax(score + first, pos + 1 - first);
    memset(out, 0, (size_t)hd * sizeof *out);
    for (int k = first; k <= pos; k++) {
        for (int d = 0; d < hd; d++)
            out[d] += score[k] * value[(size_t)k * kv_dim + (size_t)d];
    }
}

static void attend(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v)
{
    for (int i = 0; i < p->n; i++) {
        for (int h = 0; h < p->c->n_heads; h++)
            attend_head(p, layer, v, i, h);
    }
}

// hidden may be gate.
static void swiglu(const float *gate, const float *up, size_t size, float *hidden)
{
    for (size_t i = 0; i < size; i++)
        hidden[i] = gate[i] * ((float)(1.0 / (1.0 + hw_exp(-(double)gate[i]))) * up[i]);
}

static void see(const struct hw_pass *p, enum hw_float_tap tap, int layer, const float *v, int n)
{
    const struct view *view = p->user;
    see_rows(view->f, p->n, tap, layer, v, n);
}

static const struct hw_kernels KERNELS = {multiply, vector, rmsnorm, attend, swiglu, see};

// --- the whole

// Row of the first token's keys and values in layer l.
static size_t cache_row(const struct hw_float *f, const struct work *w, int l)
{
    return w->together ? 0 : (size_t)l * (size_t)f->positions + (size_t)w->pos[0];
}

static void layer_forward(struct hw_float *f, const struct work *w, int l)
{
    size_t here = cache_row(f, w, l) * (size_t)hw_projection_width(&f->c, HW_KEYS);
    float *made[HW_N_PROJECTIONS] = {w->q, w->key + here, w->value + here};
    struct hw_layer_vectors v = {.x = w->x,
                                 .normed = w->xn,
                                 .attn = w->attn,
                                 .mid = w->x,
                                 .mid_normed = w->xn,
                                 .gate = w->gate,
                                 .up = w->up,
                                 .hidden = w->gate,
                                 .out = w->x,
                                 .change = w->xn};
    memcpy(v.made, made, sizeof made);
    memcpy(v.row, made, sizeof made);
    hw_layer_forward(&(struct hw_pass){&f->c, f->how.layer_eps, w->n, w->pos, f->cos, f->sin,
                                       &KERNELS, &(struct view){f, w}},
                     l, &v);
}

static void embed(const struct hw_float *f, const struct work *w, const int *tokens)
{
    size_t dim = (size_t)f->c.dim;
    for (int i = 0; i < w->n; i++)
        memcpy(w->x + (size_t)i * dim, hw_float_row(f, HW_TOK_EMBED, 0, tokens[i], f->row),
               dim * sizeof *w->x);
    see_rows(f, w->n, HW_FLOAT_RESIDUAL, 0, w->x, f->c.dim);
}

static void final_norm(const struct hw_float *f, const struct work *w)
{
    rmsnorm(w->x, w->n, f->c.dim, f->tensor[HW_OUTPUT_NORM][0], f->c.norm_eps, NULL, w->xn);
    see_rows(f, w->n, HW_FLOAT_FINAL_NORM, 0, w->xn, f->c.dim);
}

// logits[n][vocab_size] of n normed tokens x
static void classify(const struct hw_float *f, const float *x, int n, float *logits)
{
    linear(f, hw_classifier_tensor(&f->c), 0, x, logits, n);
    see_rows(f, n, HW_FLOAT_LOGITS, 0, logits, f->c.vocab_size);
}

const float *hw_float_forward(struct hw_float *f, int token, int pos)
{
    const struct work *w = &f->one;
    w->pos[0] = pos;
    embed(f, w, &token);
    for (int l = 0; l < f->c.n_layers; l++)
        layer_forward(f, w, l);
    final_norm(f, w);
    classify(f, w->xn, 1, f->logits);
    return f->logits;
}

int hw_float_sample(const float *logits, int n, uint64_t *seed)
{
    double sum = 0.0, max = logits[0];
    for (int i = 1; i < n; i++)
        max = logits[i] > max ? logits[i] : max;
    for (int i = 0; i < n; i++)
        sum += hw_exp(logits[i] - max);
    double at = hw_lcg_uniform(seed) * sum;
    for (int i = 0; i < n; i++) {
        at -= hw_exp(logits[i] - max);
        if (at < 0.0)
            return i;
    }
    return n - 1;
}

// --- many tokens, layer by layer

bool hw_float_begin(struct hw_float *f, const int *tokens, int n, struct hw_error *err)
{
    work_free(&f->many);
    if (!work_new(&f->many, &f->c, n, (size_t)n, err))
        return false;
    f->many.together = true;
    for (int i = 0, pos = 0; i < n; i++, pos++) {
        if (pos == f->positions || tokens[i] == f->c.bos)
            pos = 0;
        f->many.pos[i] = pos;
    }
    embed(f, &f->many, tokens);
    return true;
}

void hw_float_layer(struct hw_float *f, int layer)
{
    layer_forward(f, &f->many, layer);
}

bool hw_float_end(struct hw_float *f, bool logits, struct hw_error *err)
{
    const struct hw_config *c = &f->c;
    struct work *w = &f->many;
    int at_once = LOGITS_AT_ONCE / c->vocab_size;
    at_once = at_once < 1 ? 1 : at_once < w->n ? at_once : w->n;
    final_norm(f, w);
    float *all = logits ? allocate((size_t)at_once * (size_t)c->vocab_size, err) : NULL;
    for (int i = 0; all && i < w->n; i += at_once) {
        int n = w->n - i < at_once ? w->n - i : at_once;
        classify(f, w->xn + (size_t)i * (size_t)c->dim, n, all);
    }
    free(all);
    work_free(w);
    return !err->set;
}
