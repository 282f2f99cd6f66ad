// Every text of the page: [English, Japanese]. {…} is filled in. An English text that depends on a number is an array
// of singular and plural.

const TEXT = {
  gallery: ["Gallery", "ギャラリー"],
  search: ["Search", "検索"],
  search_hint: ["Search pictures", "画像を検索"],
  category: ["Category", "カテゴリー"],
  tags: ["Tags", "タグ"],
  sort: ["Order", "並び順"],
  all_categories: ["All categories", "全カテゴリー"],
  all_tags: ["All tags", "全タグ"],
  sort_relevance: ["Best match", "関連度順"],
  "sort_-created_at": ["Newest first", "新しい順"],
  sort_created_at: ["Oldest first", "古い順"],
  sort_title: ["By title", "タイトル順"],
  "sort_-size_bytes": ["Largest first", "サイズ順"],
  change_key: ["Key", "キー"],
  upload: ["Upload", "アップロード"],
  pictures: ["Pictures", "画像一覧"],
  count: [["{n} picture", "{n} pictures"], "{n} 枚"],
  count_more: ["More than {n} pictures", "{n} 枚以上"],
  none_title: ["No pictures yet", "まだ画像がありません"],
  none_text: [
    "Drop some here, paste one, or choose files.",
    "ここにドロップするか、貼り付けるか、ファイルを選んでください。",
  ],
  none_action: ["Choose pictures", "画像を選ぶ"],
  bare_title: ["No pictures yet", "まだ画像がありません"],
  bare_text: ["This key may look at pictures, but not add any.", "このキーでは画像を見られますが、追加はできません。"],
  nothing_title: ["Nothing found", "見つかりませんでした"],
  nothing_text: ["No picture matches the search and the filters.", "検索条件に合う画像はありません。"],
  nothing_action: ["Show all pictures", "すべての画像を表示"],
  drop: ["Drop to upload", "ドロップしてアップロード"],
  retry: ["Try again", "再試行"],
  close: ["Close", "閉じる"],
  cancel: ["Cancel", "キャンセル"],
  cancel_all: ["Cancel all", "すべて中止"],
  loading: ["Loading…", "読み込み中…"],
  fold: ["Hide", "たたむ"],
  unfold: ["Show", "ひらく"],
  messages: ["Messages", "メッセージ"],

  uploading: ["Uploading {done}\u00a0of\u00a0{all}", "アップロード中 {done}\u00a0/\u00a0{all}"],
  uploaded: [["{n} picture uploaded", "{n} pictures uploaded"], "{n} 枚をアップロードしました"],
  uploaded_failed: ["{n} uploaded, {failed} failed", "{n} 枚完了、{failed} 枚失敗"],
  progress_all: ["All uploads", "全体の進み具合"],
  progress_one: ["Upload of {name}", "{name} のアップロード"],
  state_waiting: ["Waiting", "待機中"],
  state_sending: ["{percent} of {size}", "{size} の {percent}"],
  state_checking: ["Checking the picture…", "画像を確認しています…"],
  state_again: ["{problem} Trying again…", "{problem} もう一度試しています…"],
  state_done: ["Done", "完了"],
  state_twin: ["Done. The same picture was here already.", "完了。同じ画像がすでにあります。"],
  retry_name: ["Try again: {name}", "再試行：{name}"],
  remove_name: ["Remove {name} from the list", "{name} を一覧から除く"],

  previous: ["Previous picture", "前の画像"],
  next: ["Next picture", "次の画像"],
  edit: ["Edit", "編集"],
  copy_link: ["Copy link", "リンクをコピー"],
  copied: ["Link copied. It works until {time}.", "リンクをコピーしました。{time} まで有効です。"],
  not_copied: ["The browser did not let the link be copied.", "ブラウザーがコピーを許可しませんでした。"],
  download: ["Download", "ダウンロード"],
  copy_hint: ["A link to a copy without what the camera wrote", "カメラの記録を含まない画像へのリンク"],
  download_hint: [
    "The original, with all that the camera wrote, such as the place",
    "撮影場所など、カメラの記録をすべて含む元のファイル",
  ],
  delete: ["Delete", "削除"],
  deleted: ["Deleted “{name}” for good", "「{name}」を完全に削除しました"],
  trashed: ["Moved “{name}” to the trash", "「{name}」をごみ箱に移動しました"],
  trashed_said: [
    "Moved “{name}” to the trash. Ctrl+Z brings it back.",
    "「{name}」をごみ箱に移動しました。Ctrl+Z で元に戻せます。",
  ],
  undo: ["Undo", "元に戻す"],
  restored: ["“{name}” is back", "「{name}」を元に戻しました"],
  not_undone: ["That could not be undone. {problem}", "元に戻せませんでした。{problem}"],
  not_deleted: ["“{name}” was not deleted. {problem}", "「{name}」を削除できませんでした。{problem}"],
  title: ["Title", "タイトル"],
  description: ["Description", "説明"],
  tags_hint: ["Tags, separated by commas", "タグ（読点またはコンマで区切る）"],
  save: ["Save", "保存"],
  saving: ["Saving…", "保存しています…"],
  saved: ["Saved", "保存しました"],
  not_saved: ["“{name}” was not saved. {problem}", "「{name}」を保存できませんでした。{problem}"],
  conflict: [
    "Someone else changed this picture. Save replaces their text, Cancel shows it.",
    "ほかの人がこの画像を変更しました。「保存」で上書き、「キャンセル」で相手の変更を表示します。",
  ],
  conflict_unknown: ["Someone else changed this picture. {problem}", "ほかの人がこの画像を変更しました。{problem}"],
  fact_file: ["File", "ファイル"],
  fact_size: ["Size", "サイズ"],
  fact_type: ["Type", "形式"],
  fact_frames: ["Frames", "フレーム数"],
  fact_added: ["Added", "追加日時"],
  fact_changed: ["Changed", "更新日時"],
  fact_taken_at: ["Taken", "撮影日時"],
  fact_camera: ["Camera", "カメラ"],
  fact_lens: ["Lens", "レンズ"],
  fact_exposure_time: ["Exposure", "露出時間"],
  fact_f_number: ["Aperture", "絞り"],
  fact_iso: ["ISO", "ISO 感度"],
  fact_focal_length: ["Focal length", "焦点距離"],

  select: ["Select", "選択"],
  select_name: ["Select {name}", "{name} を選択"],
  select_help: [
    "Space selects, Shift with an arrow key extends, Control A selects all, Tab leads to what can be done, Escape ends.",
    "スペースで選択、Shift と矢印キーで範囲を広げ、Control A ですべてを選択、Tab で操作へ移動、Escape で終了します。",
  ],
  selection: ["Selected pictures", "選択した画像"],
  selected: ["{n} selected", "{n} 枚を選択中"],
  selection_clear: ["Done", "終了"],
  add_tags: ["Add tags", "タグを追加"],
  remove_tags: ["Remove tags", "タグを外す"],
  move: ["Move", "移動"],
  trash: ["Trash", "ごみ箱"],
  to_trash: ["Delete", "削除"],
  restore: ["Restore", "元に戻す"],
  delete_for_good: ["Delete for good", "完全に削除"],
  add: ["Add", "追加"],
  remove: ["Remove", "外す"],
  add_tags_title: [["Add tags to {n} picture", "Add tags to {n} pictures"], "{n} 枚の画像にタグを追加"],
  remove_tags_title: [["Remove tags from {n} picture", "Remove tags from {n} pictures"], "{n} 枚の画像からタグを外す"],
  tag_count: ["{tag} ({n})", "{tag}（{n}）"],
  no_tags: [["This picture has no tags.", "These pictures have no tags."], "選択した画像にはタグがありません。"],
  choose_one: ["Choose at least one.", "1 つ以上選んでください。"],
  move_title: [["Move {n} picture to a category", "Move {n} pictures to a category"], "{n} 枚の画像をカテゴリーに移動"],
  category_hint: ["Category; empty for none", "カテゴリー（空欄にすると「なし」）"],
  delete_title: [["Delete {n} picture for good?", "Delete {n} pictures for good?"], "{n} 枚の画像を完全に削除しますか？"],
  delete_text: ["This cannot be undone.", "この操作は元に戻せません。"],
  changing: [["Changing {n} picture…", "Changing {n} pictures…"], "{n} 枚を変更しています…"],
  changed: [["{n} picture changed", "{n} pictures changed"], "{n} 枚を変更しました"],
  undone: [["{n} picture is as it was", "{n} pictures are as they were"], "{n} 枚を元に戻しました"],
  trashed_many: [["{n} picture moved to the trash", "{n} pictures moved to the trash"], "{n} 枚をごみ箱に移動しました"],
  deleted_many: [["{n} picture deleted for good", "{n} pictures deleted for good"], "{n} 枚を完全に削除しました"],
  restored_many: [["{n} picture is back", "{n} pictures are back"], "{n} 枚を元に戻しました"],
  said_undo: ["{text} Ctrl+Z undoes it.", "{text} Ctrl+Z で取り消せます。"],
  full_stop: [".", "。"],
  done_partly: ["{text}. {partly}", "{text}。{partly}"],
  partly: ["{failed} of {all} were not changed: {problem}", "{all} 枚中 {failed} 枚は変更できませんでした：{problem}"],

  trash_close: ["Back to the gallery", "ギャラリーに戻る"],
  trash_kept: [["Kept for {n} day.", "Kept for {n} days."], "{n} 日間残ります。"],
  trash_select: ["Select pictures to restore them.", "画像を選ぶと、元に戻せます。"],
  trash_title: ["The trash is empty", "ごみ箱は空です"],
  trash_text: ["Deleted pictures appear here.", "削除した画像がここに入ります。"],
  trash_action: ["Back to the gallery", "ギャラリーに戻る"],
  trashed_at: ["Deleted {time}", "{time} に削除"],
  purge_at: ["Gone for good after {time}", "{time} に完全に削除"],

  history: ["History", "履歴"],
  history_none: ["Nothing is recorded.", "記録はありません。"],
  older: ["Older", "さらに前"],
  change_uploaded: ["Uploaded", "アップロード"],
  change_changed: ["Changed", "変更"],
  change_analyzed: ["Analysed", "解析"],
  change_trashed: ["Moved to the trash", "ごみ箱に移動"],
  change_restored: ["Restored", "復元"],
  change_deleted: ["Deleted for good", "完全に削除"],
  change_links_revoked: ["Links revoked", "リンクを無効化"],
  by_root: ["by the main key", "メインのキー"],
  by_service: ["by the service", "サービス"],
  by_this_key: ["by this key", "このキー"],
  by_key: ["by the key …{key}", "キー …{key}"],
  empty_value: ["(empty)", "（空）"],

  key_title: ["Your API key", "API キー"],
  key_text: ["It is kept in this tab only, until the tab is closed.", "このタブを閉じるまで保存されます。"],
  key_label: ["API key", "API キー"],
  key_use: ["Continue", "続ける"],
  key_refused: ["The server does not accept this key.", "このキーは受け付けられませんでした。"],

  other_key: ["Use another key", "別のキーを使う"],
  "scope_images:read": ["This key may not see pictures.", "このキーでは画像を見られません。"],
  "scope_images:write": ["This key may not add or change pictures.", "このキーでは画像を追加・変更できません。"],
  "scope_images:delete": ["This key may not delete pictures for good.", "このキーでは画像を完全に削除できません。"],

  // The codes of openapi.json that this page meets. Others are told in the server's words.
  error_api_key_suspended: ["This key waits for its confirmation: the database was restored.", "データベースが復元されたため、このキーは確認待ちです。"],
  error_scope_missing: ["This key may not do that: it lacks {scope}.", "このキーには {scope} の権限がありません。"],
  error_image_not_found: ["This picture is no longer there.", "この画像はもうありません。"],
  picture_trashed: ["This picture is in the trash.", "この画像はごみ箱にあります。"],
  error_image_not_trashed: ["This picture is not in the trash.", "この画像はごみ箱にありません。"],
  error_image_trash_pending: ["This picture is still being moved.", "この画像はまだ移動中です。"],
  error_upload_in_progress: ["This picture is still being processed.", "この画像はまだ処理中です。"],
  error_upload_interrupted: ["The upload was interrupted.", "アップロードが中断されました。"],
  error_payload_too_large: ["The file is too large.", "ファイルが大きすぎます。"],
  error_unsupported_image_type: [
    "This is not a picture of a supported type (JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF).",
    "対応していない形式です（JPEG、PNG、GIF、WebP、AVIF、BMP、TIFF に対応）。",
  ],
  error_field_invalid: ["{field}: this cannot be stored.", "「{field}」のこの値は保存できません。"],
  reason_too_long: ["{field}: {max} characters at most.", "「{field}」は {max} 文字までです。"],
  reason_too_long_tags: ["A tag can have {max} characters at most.", "タグは 1 つ {max} 文字までです。"],
  reason_too_many_tags: ["There can be {max} tags at most.", "タグは {max} 個までです。"],
  reason_too_many_q: ["A search can have {max} words at most.", "検索できるのは {max} 語までです。"],
  reason_value_image_file: ["The file is empty.", "ファイルが空です。"],
  error_image_corrupt: ["The picture is broken or incomplete.", "画像が壊れているか、不完全です。"],
  error_image_too_complex: ["The picture needs too much memory or time to be read.", "画像の読み込みに必要なメモリーまたは時間が多すぎます。"],
  error_too_many_pixels: ["The picture has too many pixels.", "画素数が多すぎます。"],
  error_too_many_frames: ["The animation is too long.", "アニメーションが長すぎます。"],
  error_too_many_to_sort: [
    "Too many to sort this way ({max} at most), so the newest come first.",
    "この並び順で表示できるのは {max} 枚までのため、新しい順に表示しています。",
  ],
  error_throttled: ["Too many requests at once.", "リクエストが多すぎます。"],
  error_internal_error: ["Something went wrong on the server.", "サーバーで問題が起きました。"],
  error_function_failed: ["Something went wrong on the server.", "サーバーで問題が起きました。"],
  error_maintenance: ["The service is down for maintenance. Try again later.", "メンテナンス中です。しばらくしてからもう一度お試しください。"],
  error_database_unavailable: ["The database does not answer.", "データベースが応答しません。"],
  error_storage_unavailable: ["The image store does not answer.", "画像の保存先が応答しません。"],
  error_batch_interrupted: ["The server ran out of time.", "サーバーの処理時間が足りませんでした。"],
  error_function_timed_out: ["The server took too long.", "サーバーの応答に時間がかかりすぎました。"],

  // Without an answer of the API.
  error_unexpected: ["The server answered with an error ({status}).", "サーバーがエラーを返しました（{status}）。"],
  error_network: ["The server cannot be reached.", "サーバーに接続できません。"],
  error_key_needed: ["An API key is needed.", "API キーが必要です。"],
  error_store_refused: ["The image store refused the file.", "画像の保存先がファイルを受け付けませんでした。"],
  error_file_gone: [
    "The file cannot be read. It may have been moved or changed.",
    "ファイルを読み込めません。移動または変更された可能性があります。",
  ],
};

const language = navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en";

/** The orders of a list, in the order in which they are offered. */
export const sortOrders = Object.keys(TEXT).filter((name) => name.startsWith("sort_")).map((name) => name.slice(5));

/** The text of this name in the user's language. `n` chooses between singular and plural. */
export function t(name, values = {}) {
  let text = TEXT[name][language === "ja" ? 1 : 0];
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, key) => (typeof values[key] === "number" ? formatNumber(values[key]) : values[key]));
}

export const knows = (name) => Object.hasOwn(TEXT, name);

/** What went wrong: in the user's language if there is a text for it, else in the server's words. */
export function explain({ status, code, message, details: { scope, trashed, reason, max, ...details } = {} }) {
  const field = (details.field ?? details.parameter)?.replace("metadata.", "");
  const names = [`scope_${scope}`, `reason_${reason}_${field}`, `reason_${reason}`, `error_${code}`];
  const name = trashed ? "picture_trashed" : names.find(knows);
  if (!name) return message || t("error_unexpected", { status });
  return t(name, { status, scope, max, field: knows(field) ? t(field) : field });
}

/** Fill in the texts that index.html names. */
export function translatePage() {
  document.documentElement.lang = language;
  document.title = t("gallery");
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.ariaLabel = t(element.dataset.tLabel);
  for (const element of document.querySelectorAll("[data-t-title]")) element.title = t(element.dataset.tTitle);
  for (const element of document.querySelectorAll("[data-t-placeholder]")) {
    element.placeholder = t(element.dataset.tPlaceholder);
  }
}

export const formatNumber = (value) => new Intl.NumberFormat(language).format(value);

export const formatPercent = (share) => new Intl.NumberFormat(language, { style: "percent" }).format(share);

export function formatBytes(count) {
  const [divisor, unit] = count < 1e6 ? [1e3, "kilobyte"] : [1e6, "megabyte"];
  const options = { style: "unit", unit, maximumFractionDigits: count < 1e4 || count >= 1e6 ? 1 : 0 };
  return new Intl.NumberFormat(language, options).format(count / divisor);
}

export const formatTime = (value) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value));

export const formatDay = (value) => new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(value));
