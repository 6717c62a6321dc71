// SPDX-License-Identifier: Apache-2.0
// Owns the gradient of the float model, of every family but those with norms before wo and down:
// the operators of layer.h over a window of tokens, then backwards in the opposite order.
// Activations are [n][width], one row a position.
#include "gen/learn/backward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/learn/simd.h"

struct hw_window {
    struct hw_config c;
    int length, n;
    const int *tokens;
    const struct hw_params *p; // of the pass at hand
    struct layer {
        struct hw_layer_vectors v; // all kept: what the backward pass needs
        float *weight;             // [n_heads][n][n] softmax of the scores
    } * layers;
    int *pos;                              // [length] 0, 1, ...
    float *x, *inv, *xn, *logits;          // after the last layer
    float *dx, *dxn;                       // [n][dim]
    float *dmade[HW_N_PROJECTIONS], *drow; // by queries, keys, values; by what a head's norm reads
    float *dattn;
    float *dgate, *dup, *dhidden;
    float *score;      // [n][n]
    float *transposed; // a matrix on its side
    float *cos, *sin;  // [length][head_dim / 2]
    float *block;      // all of the above but pos
};

// --- memory

static size_t largest_matrix(const struct hw_config *c, size_t n)
{
    size_t most = n * (size_t)c->head_dim;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t size = hw_params_size(c, (enum hw_tensor_id)id);
        most = size > most ? size : most;
    }
    return most;
}

// How many heads of projection i pass a norm; queries have as many as any.
static size_t normed_heads(const struct hw_config *c, int i)
{
    return hw_tensor_exists(c, hw_projection[i].norm)
               ? (size_t)(hw_projection_width(c, i) / c->head_dim)
               : 0;
}

// Takes n floats from the block, or only counts them where there is none yet.
struct arena {
    float *block;
    size_t used;
};

static float *take(struct arena *v, size_t n)
{
    float *at = v->block ? v->block + v->used : NULL;
    v->used += (n + 3) / 4 * 4;
    return at;
}

static size_t lay_out(struct hw_window *w, const struct hw_config *c, size_t n, float *block)
{
    struct arena v = {block, 0};
    size_t dim = (size_t)c->dim, hidden = (size_t)c->hidden_dim, heads = (size_t)c->n_heads;
    size_t q_dim = heads * (size_t)c->head_dim;
    for (int l = 0; l < c->n_layers; l++) {
        struct hw_layer_vectors y = {.x = take(&v, n * dim),
                                     .inverse = take(&v, n),
                                     .normed = take(&v, n * dim),
                                     .attn = take(&v, n * q_dim),
                                     .mid = take(&v, n * dim),
                                     .mid_inverse = take(&v, n),
                                     .mid_normed = take(&v, n * dim),
                                     .gate = take(&v, n * hidden),
                                     .up = take(&v, n * hidden),
                                     .hidden = take(&v, n * hidden)};
        float *weight = take(&v, heads * n * n);
        for (int i = 0; i < HW_N_PROJECTIONS; i++) {
            size_t width = (size_t)hw_projection_width(c, i), normed = normed_heads(c, i);
            y.made[i] = take(&v, n * width);
            y.row[i] = take(&v, n * normed * (size_t)c->head_dim);
            y.row_inverse[i] = take(&v, n * normed);
        }
        if (block)
            w->layers[l] = (struct layer){y, weight};
    }
    size_t half = (size_t)c->head_dim / 2, vocab = (size_t)c->vocab_size;
    struct hw_window y = {.x = take(&v, n * dim),
                          .inv = take(&v, n),
                          .xn = take(&v, n * dim),
                          .logits = take(&v, n * vocab),
                          .dx = take(&v, n * dim),
                          .dxn = take(&v, n * dim),
                          .drow = take(&v, n * normed_heads(c, 0) * (size_t)c->head_dim),
                          .dattn = take(&v, n * q_dim),
                          .dgate = take(&v, n * hidden),
                          .dup = take(&v, n * hidden),
                          .dhidden = take(&v, n * hidden),
                          .score = take(&v, n * n),
                          .transposed = take(&v, largest_matrix(c, n)),
                          .cos = take(&v, n * half),
                          .sin = take(&v, n * half)};
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        y.dmade[i] = take(&v, n * (size_t)hw_projection_width(c, i));
    if (block) {
        y.c = *c;
        y.layers = w->layers;
        y.pos = w->pos;
        y.block = block;
        y.length = (int)n;
        *w = y;
        for (int l = 0; l < c->n_layers; l++) {
            w->layers[l].v.out = l + 1 < c->n_layers ? w->layers[l + 1].v.x : w->x;
            w->layers[l].v.change = w->dxn; // free on the way there
        }
    }
    return v.used;
}

double hw_window_bytes(const struct hw_config *c, int length)
{
    return (double)lay_out(NULL, c, (size_t)length, NULL) * sizeof(float);
}

struct hw_window *hw_window_new(const struct hw_config *c, int length, struct hw_error *err)
{
    struct hw_window *w = calloc(1, sizeof *w);
    float *block = calloc(lay_out(NULL, c, (size_t)length, NULL), sizeof *block);
    struct layer *layers = calloc((size_t)c->n_layers, sizeof *layers);
    int *pos = calloc((size_t)length, sizeof *pos);
    if (!w || !block || !layers || !pos) {
        free(block);
        free(layers);
        free(pos);
        free(w);
        hw_fail(err, "tuning: out of memory");
        return NULL;
    }
    w->layers = layers;
    w->pos = pos;
    lay_out(w, c, (size_t)length, block);
    for (int t = 0; t < length; t++)
        pos[t] = t;
    hw_rope_table(c, length, w->cos, w->sin);
    return w;
}

void hw_window_free(struct hw_window *w)
{
    if (!w)
        return;
    free(w->layers);
    free(w->pos);
    free(w->block);
    free(w);
}

// --- products

// y[n][rows] = x[n][cols] times the matrix's transpose
static void linear(struct hw_window *w, const float *matrix, int rows, int cols, const float *x,
                   float *y)
{
    hw_transpose(matrix, rows, cols, (size_t)cols, w->transposed);
    memset(y, 0, (size_t)w->n * (size_t)rows * sizeof *y);
    hw_multiply(w->n, rows, cols, (struct hw_view){x, (size_t)cols, 1}, w->transposed, (size_t)rows,
                y, (size_t)rows);
}

// dx += dy matrix; d_matrix += dy' x
static void linear_back(const struct hw_window *w, const float *matrix, int rows, int cols,
                        const float *x, const float *dy, float *dx, float *d_matrix)
{
    hw_multiply(w->n, cols, rows, (struct hw_view){dy, (size_t)rows, 1}, matrix, (size_t)cols, dx,
                (size_t)cols);
    hw_multiply(rows, cols, w->n, (struct hw_view){dy, 1, (size_t)rows}, x, (size_t)cols, d_matrix,
                (size_t)cols);
}

// --- norm

// dx += inv (dy g - x inv^2 mean(dy g x)); d_gain += dy x inv
static void rmsnorm_back(const float *x, int rows, int width, const float *gain, const float *inv,
                         const float *dy, float *dx, float *d_gain)
{
    for (int t = 0; t < rows; t++, x += width, dy += width, dx += width) {
        double sum = 0.0;
        for (int i = 0; i < width; i++)
            sum += (double)dy[i] * gain[i] * x[i];
        float share = (float)(sum / width) * inv[t] * inv[t];
        for (int i = 0; i < width; i++) {
            d_gain[i] += dy[i] * x[i] * inv[t];
            dx[i] += inv[t] * (dy[i] * gain[i] - x[i] * share);
        }
    }
}

// --- attention

enum { ROWS = 32 }; // positions treated together: what lies beyond the last of them is skipped

// Every row t of s[n][n]: the `kept` entries up to t become their softmax, the others 0.
static void softmax_rows(const struct hw_window *w, float *s, int kept, float scale)
{
    int n = w->n;
    for (int t = 0; t < n; t++, s += n) {
        int first = t < kept ? 0 : t + 1 - kept, seen = t + 1 - first;
        float *v = s + first;
        float inv = 1.0f / hw_exp_row(v, seen, hw_row_max(v, seen), scale);
        for (int i = 0; i < seen; i++)
            v[i] *= inv;
        memset(s, 0, (size_t)first * sizeof *s);
        memset(s + t + 1, 0, (size_t)(n - t - 1) * sizeof *s);
    }
}

// s[t][i] = a[t] . b[i] for i <= t, where a and b are one head of rows that lie *_row apart
static void scores(struct hw_window *w, const float *a, size_t a_row, const float *b, size_t b_row,
                   float *s)
{
    int n = w->n, hd = w->c.head_dim;
    hw_transpose(b, n, hd, b_row, w->transposed);
    memset(s, 0, (size_t)n * (size_t)n * sizeof *s);
    for (int t = 0; t < n; t += ROWS) {
        int m = n - t < ROWS ? n - t : ROWS;
        hw_multiply(m, t + m, hd, (struct hw_view){a + (size_t)t * a_row, a_row, 1}, w->transposed,
                    (size_t)n, s + (size_t)t * (size_t)n, (size_t)n);
    }
}

// y[t] += sum over i <= t of s[t][i] b[i]
static void weigh(const struct hw_window *w, const float *s, const float *b, size_t b_row, float *y,
                  size_t y_row)
{
    size_t n = (size_t)w->n;
    for (int t = 0; t < w->n; t += ROWS) {
        int m = w->n - t < ROWS ? w->n - t : ROWS;
        hw_multiply(m, w->c.head_dim, t + m, (struct hw_view){s + (size_t)t * n, n, 1}, b, b_row,
                    y + (size_t)t * y_row, y_row);
    }
}

// y[i] += sum over t >= i of s[t][i] b[t]
static void weigh_back(const struct hw_window *w, const float *s, const float *b, size_t b_row,
                       float *y, size_t y_row)
{
    size_t n = (size_t)w->n;
    for (int i = 0; i < w->n; i += ROWS) {
        int m = w->n - i < ROWS ? w->n - i : ROWS;
        size_t at = (size_t)i;
        hw_multiply(m, w->c.head_dim, w->n - i, (struct hw_view){s + at * n + at, 1, n},
                    b + at * b_row, b_row, y + at * y_row, y_row);
    }
}

static void attend(const struct hw_pass *p, int l, const struct hw_layer_vectors *v)
{
    struct hw_window *w = p->user;
    int hd = w->c.head_dim, group = w->c.n_heads / w->c.n_kv_heads;
    size_t n = (size_t)w->n, q_dim = (size_t)(w->c.n_heads * hd);
    size_t kv_dim = (size_t)(w->c.n_kv_heads * hd);
    memset(v->attn, 0, n * q_dim * sizeof *v->attn);
    for (int h = 0; h < w->c.n_heads; h++) {
        float *s = w->layers[l].weight + (size_t)h * n * n;
        size_t at = (size_t)(h * hd), kv = (size_t)(h / group * hd);
        scores(w, v->made[HW_QUERIES] + at, q_dim, v->made[HW_KEYS] + kv, kv_dim, s);
        softmax_rows(w, s, hw_positions_kept(&w->c, l), (float)(1.0 / sqrt(hd)));
        weigh(w, s, v->made[HW_VALUES] + kv, kv_dim, v->attn + at, q_dim);
    }
}

// From dattn to dmade.
static void attend_back(struct hw_window *w, const struct layer *y)
{
    int hd = w->c.head_dim, group = w->c.n_heads / w->c.n_kv_heads;
    size_t n = (size_t)w->n, q_dim = (size_t)(w->c.n_heads * hd);
    size_t kv_dim = (size_t)(w->c.n_kv_heads * hd);
    float scale = (float)(1.0 / sqrt(hd));
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        memset(w->dmade[i], 0, n * (size_t)hw_projection_width(&w->c, i) * sizeof *w->dmade[i]);
    for (int h = 0; h < w->c.n_heads; h++) {
        const float *s = y->weight + (size_t)h * n * n;
        size_t at = (size_t)(h * hd), kv = (size_t)(h / group * hd);
        scores(w, w->dattn + at, q_dim, y->v.made[HW_VALUES] + kv, kv_dim, w->score);
        for (size_t t = 0; t < n; t++) { // through the softmax
            const float *p = s + t * n;
            float *d = w->score + t * n, sum = 0.0f;
            for (size_t i = 0; i <= t; i++)
                sum += p[i] * d[i];
            for (size_t i = 0; i < n; i++)
                d[i] = p[i] * (d[i] - sum) * scale;
        }
        weigh(w, w->score, y->v.made[HW_KEYS] + kv, kv_dim, w->dmade[HW_QUERIES] + at, q_dim);
        weigh_back(w, w->score, y->v.made[HW_QUERIES] + at, q_dim, w->dmade[HW_KEYS] + kv, kv_dim);
        weigh_back(w, s, w->dattn + at, q_dim, w->dmade[HW_VALUES] + kv, kv_dim);
    }
}

// --- the model

static void add(float *x, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] += y[i];
}

static const float *weights(const struct hw_window *w, enum hw_tensor_id id, int l)
{
    return hw_params_at(w->p, &w->c, id, l);
}

static void multiply(const struct hw_pass *p, enum hw_tensor_id id, int l, const float *x, float *y)
{
    struct hw_window *w = p->user;
    int rows, cols;
    hw_tensor_shape(&w->c, id, &rows, &cols);
    linear(w, weights(w, id, l), rows, cols, x, y);
}

static const float *vector(const struct hw_pass *p, enum hw_tensor_id id, int l)
{
    return weights(p->user, id, l);
}

// d_bias[width] += the rows of dy[n][width]
static void bias_back(const struct hw_window *w, const float *dy, int width, float *d_bias)
{
    for (int t = 0; t < w->n; t++, dy += width)
        add(d_bias, dy, (size_t)width);
}

static struct hw_pass pass(struct hw_window *w)
{
    static const struct hw_kernels kernels = {.multiply = multiply,
                                              .vector = vector,
                                              .norm = hw_norm_rows,
                                              .attend = attend,
                                              .swiglu = hw_swiglu_rows};
    return (struct hw_pass){&w->c, w->c.norm_eps, w->n, w->pos, w->cos, w->sin, &kernels, w};
}

const float *hw_window_forward(struct hw_window *w, const struct hw_params *p, const int *tokens,
                               int n)
{
    const struct hw_config *c = &w->c;
    enum hw_tensor_id head = hw_classifier_tensor(c);
    w->n = n;
    w->tokens = tokens;
    w->p = p;
    struct hw_pass forward = pass(w);
    hw_params_embed(p, c, tokens, 1, n, w->layers[0].v.x);
    for (int l = 0; l < c->n_layers; l++)
        hw_layer_forward(&forward, l, &w->layers[l].v);
    hw_norm_rows(w->x, n, c->dim, p->tensor[HW_OUTPUT_NORM], c->norm_eps, w->inv, w->xn);
    linear(w, p->tensor[head], c->vocab_size, c->dim, w->xn, w->logits);
    return w->logits;
}

// The gradient of matrix `id` of layer l: dx += dy matrix, x and dy [n][cols] and [n][rows].
static void matrix_back(const struct hw_window *w, struct hw_params *g, enum hw_tensor_id id, int l,
                        const float *x, const float *dy, float *dx)
{
    int rows, cols;
    hw_tensor_shape(&w->c, id, &rows, &cols);
    linear_back(w, weights(w, id, l), rows, cols, x, dy, dx, hw_params_at(g, &w->c, id, l));
}

// The gradient of norm `id` of layer l: dx += ..., x and dy [rows][width].
static void norm_back(const struct hw_window *w, struct hw_params *g, enum hw_tensor_id id, int l,
                      const float *x, int rows, int width, const float *inverse, const float *dy,
                      float *dx)
{
    rmsnorm_back(x, rows, width, weights(w, id, l), inverse, dy, dx, hw_params_at(g, &w->c, id, l));
}

// From dmade[i] back to dxn, to which it adds.
static void project_back(struct hw_window *w, struct hw_params *g, int l, int i)
{
    const struct hw_projection *j = &hw_projection[i];
    const struct hw_layer_vectors *v = &w->layers[l].v;
    const struct hw_pass forward = pass(w);
    int width = hw_projection_width(&w->c, i), hd = w->c.head_dim, heads = w->n * (width / hd);
    float *dy = w->dmade[i];
    if (j->rotated)
        hw_rotate_rows(&forward, dy, width, -1.0f);
    if (hw_tensor_exists(&w->c, j->norm)) {
        memset(w->drow, 0, (size_t)w->n * (size_t)width * sizeof *w->drow);
        norm_back(w, g, j->norm, l, v->row[i], heads, hd, v->row_inverse[i], dy, w->drow);
        dy = w->drow;
    }
    if (hw_tensor_exists(&w->c, j->bias))
        bias_back(w, dy, width, hw_params_at(g, &w->c, j->bias, l));
    matrix_back(w, g, j->matrix, l, v->normed, dy, w->dxn);
}

// From dhidden to dgate and dup.
static void swiglu_back(struct hw_window *w, const struct hw_layer_vectors *v)
{
    size_t size = (size_t)w->n * (size_t)w->c.hidden_dim;
    memcpy(w->dgate, v->gate, size * sizeof *w->dgate);
    hw_exp_row(w->dgate, (int)size, 0.0f, -1.0f);
    for (size_t i = 0; i < size; i++) {
        float s = 1.0f / (1.0f + w->dgate[i]), d = w->dhidden[i];
        w->dgate[i] = d * v->up[i] * s * (1.0f + v->gate[i] * (1.0f - s));
        w->dup[i] = d * v->gate[i] * s;
    }
}

// dx, the gradient of the loss by the layer's result, becomes that by its residual on entry.
static void layer_backward(struct hw_window *w, struct hw_params *g, int l)
{
    const struct hw_layer_vectors *v = &w->layers[l].v;
    size_t n = (size_t)w->n, size = n * (size_t)w->c.dim, hidden = n * (size_t)w->c.hidden_dim;
    size_t q_size = n * (size_t)hw_projection_width(&w->c, HW_QUERIES);
    memset(w->dhidden, 0, hidden * sizeof *w->dhidden);
    matrix_back(w, g, HW_W_DOWN, l, v->hidden, w->dx, w->dhidden);
    swiglu_back(w, v);
    memset(w->dxn, 0, size * sizeof *w->dxn);
    matrix_back(w, g, HW_W_GATE, l, v->mid_normed, w->dgate, w->dxn);
    matrix_back(w, g, HW_W_UP, l, v->mid_normed, w->dup, w->dxn);
    norm_back(w, g, HW_FFN_NORM, l, v->mid, w->n, w->c.dim, v->mid_inverse, w->dxn, w->dx);

    memset(w->dattn, 0, q_size * sizeof *w->dattn);
    matrix_back(w, g, HW_WO, l, v->attn, w->dx, w->dattn);
    attend_back(w, &w->layers[l]);
    memset(w->dxn, 0, size * sizeof *w->dxn);
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        project_back(w, g, l, i);
    norm_back(w, g, HW_ATTN_NORM, l, v->x, w->n, w->c.dim, v->inverse, w->dxn, w->dx);
}

void hw_window_backward(struct hw_window *w, const float *d_logits, struct hw_params *grad)
{
    const struct hw_params *p = w->p;
    enum hw_tensor_id head = hw_classifier_tensor(&w->c);
    size_t dim = (size_t)w->c.dim, size = (size_t)w->n * dim;
    memset(w->dx, 0, size * sizeof *w->dx);
    memset(w->dxn, 0, size * sizeof *w->dxn);
    linear_back(w, p->tensor[head], w->c.vocab_size, w->c.dim, w->xn, d_logits, w->dxn,
                grad->tensor[head]);
    rmsnorm_back(w->x, w->n, w->c.dim, p->tensor[HW_OUTPUT_NORM], w->inv, w->dxn, w->dx,
                 grad->tensor[HW_OUTPUT_NORM]);
    for (int l = w->c.n_layers - 1; l >= 0; l--)
        layer_backward(w, grad, l);
    for (int t = 0; t < w->n; t++)
        add(grad->tensor[HW_TOK_EMBED] + (size_t)w->tokens[t] * dim, w->dx + (size_t)t * dim, dim);
}
