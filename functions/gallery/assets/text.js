// Every text of the page: [English, Japanese]. {…} is filled in. An English text that depends on a number is an array
// of singular and plural. On a Mac, "Ctrl+" is shown as "⌘".

const TEXT = {
  gallery: ["Gallery", "ギャラリー"],
  search: ["Search", "検索"],
  search_hint: ["Search pictures", "画像を検索"],
  category: ["Category", "カテゴリー"],
  tags: ["Tags", "タグ"],
  sort: ["Sort order", "並び順"],
  all_categories: ["All categories", "すべてのカテゴリー"],
  all_tags: ["All tags", "すべてのタグ"],
  sort_relevance: ["Best match", "関連度順"],
  "sort_-created_at": ["Newest first", "新しい順"],
  sort_created_at: ["Oldest first", "古い順"],
  sort_title: ["By title", "タイトル順"],
  "sort_-size_bytes": ["Largest file first", "サイズの大きい順"],
  api_docs: ["API docs", "API 仕様"],
  change_key: ["API key", "API キー"],
  upload: ["Upload", "アップロード"],
  pictures: ["Pictures", "画像一覧"],
  count: [["{n} picture", "{n} pictures"], "{n} 枚"],
  count_more: ["At least {n} pictures", "{n} 枚以上"],
  none_title: ["No pictures yet", "まだ画像がありません"],
  none_text: ["Drop pictures here, paste one, or choose files.", "ここにドロップするか、貼り付けるか、ファイルを選んでください。"],
  none_action: ["Choose pictures", "画像を選ぶ"],
  bare_title: ["No pictures yet", "まだ画像がありません"],
  bare_text: ["This key can view pictures, but it cannot add any.", "このキーでは画像を見られますが、追加はできません。"],
  nothing_title: ["Nothing found", "見つかりませんでした"],
  nothing_text: ["No picture matches the search and the filters.", "検索条件に合う画像はありません。"],
  nothing_action: ["Show all pictures", "すべての画像を表示"],
  drop: ["Drop to upload", "ドロップしてアップロード"],
  retry: ["Try again", "再試行"],
  close: ["Close", "閉じる"],
  cancel: ["Cancel", "キャンセル"],
  cancel_all: ["Cancel all", "すべて中止"],
  loading: ["Loading…", "読み込み中…"],
  fold: ["Hide", "折りたたむ"],
  unfold: ["Show", "展開"],
  messages: ["Messages", "メッセージ"],

  uploading: ["Uploading {done}\u00a0of\u00a0{all}", "アップロード中 {done}\u00a0/\u00a0{all}"],
  uploaded: [["{n} picture uploaded", "{n} pictures uploaded"], "{n} 枚をアップロードしました"],
  uploaded_failed: ["{n} uploaded, {failed} failed", "{n} 枚完了、{failed} 枚失敗"],
  progress_all: ["All uploads", "全体の進み具合"],
  progress_one: ["Upload of {name}", "{name} のアップロード"],
  state_waiting: ["Waiting", "待機中"],
  state_sending: ["{percent} of {size}", "{size} の {percent}"],
  state_checking: ["Checking the picture…", "画像を確認しています…"],
  state_again: ["{problem} Trying again…", "{problem}再試行しています…"],
  state_done: ["Done", "完了"],
  state_twin: ["Done. An identical picture already exists.", "完了。同じ画像がすでにあります。"],
  retry_name: ["Try again: {name}", "再試行：{name}"],
  remove_name: ["Remove {name} from the list", "{name} を一覧から除く"],

  previous: ["Previous picture", "前の画像"],
  next: ["Next picture", "次の画像"],
  edit: ["Edit", "編集"],
  copy_link: ["Copy link", "リンクをコピー"],
  copied: ["Link copied. Anyone with it can open the picture until {time}.", "リンクをコピーしました。{time} まで、リンクを知っている人は誰でも画像を開けます。"],
  not_copied: [
    "The browser blocked copying. Allow it to use the clipboard, then try again.",
    "ブラウザーがコピーを許可しませんでした。クリップボードの使用を許可してから、再試行してください。",
  ],
  download: ["Download original", "元ファイルをダウンロード"],
  copy_hint: ["Link to the picture without camera data (Exif)", "撮影情報（Exif）を含まない画像のリンク"],
  download_hint: ["The original file with all camera data (Exif), such as the location", "撮影場所などの撮影情報（Exif）を含む元のファイル"],
  deleted: ["Deleted “{name}” permanently", "「{name}」を完全に削除しました"],
  trashed: ["Moved “{name}” to the trash", "「{name}」をごみ箱に移動しました"],
  undo: ["Undo", "元に戻す"],
  restored: ["Restored “{name}”", "「{name}」を元に戻しました"],
  not_undone: ["The change was not undone. {problem}", "元に戻せませんでした。{problem}"],
  not_deleted: ["“{name}” was not deleted. {problem}", "「{name}」を削除できませんでした。{problem}"],
  title: ["Title", "タイトル"],
  description: ["Description", "説明"],
  tags_hint: ["Tags, separated by commas", "タグ（読点またはカンマで区切る）"],
  save: ["Save", "保存"],
  saving: ["Saving…", "保存しています…"],
  saved: ["Saved", "保存しました"],
  not_saved: ["“{name}” was not saved. {problem}", "「{name}」を保存できませんでした。{problem}"],
  conflict: ["Someone else changed this picture. Save overwrites their changes. Cancel shows them.", "ほかの人がこの画像を変更しました。「保存」で上書き、「キャンセル」で相手の変更を表示します。"],
  conflict_unknown: ["Someone else changed this picture. {problem}", "ほかの人がこの画像を変更しました。{problem}"],
  fact_filename: ["File name", "ファイル名"],
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
    "Press Space to select, Shift+Arrow to extend, Ctrl+A to select all, Tab for the actions, Escape to stop.",
    "スペースで選択、Shift+矢印で範囲を拡大、Ctrl+A ですべて選択、Tab で操作へ移動、Escape で終了します。",
  ],
  selection: ["Selected pictures", "選択した画像"],
  selected: ["{n} selected", "{n} 枚を選択中"],
  selection_clear: ["Clear selection", "選択を解除"],
  add_tags: ["Add tags", "タグを追加"],
  remove_tags: ["Remove tags", "タグを外す"],
  set_category: ["Set category", "カテゴリーを設定"],
  trash: ["Trash", "ごみ箱"],
  to_trash: ["Move to trash", "ごみ箱に移動"],
  restore: ["Restore", "元に戻す"],
  delete_permanently: ["Delete permanently", "完全に削除"],
  add: ["Add", "追加"],
  remove: ["Remove", "外す"],
  add_tags_title: [["Add tags to {n} picture", "Add tags to {n} pictures"], "{n} 枚の画像にタグを追加"],
  remove_tags_title: [["Remove tags from {n} picture", "Remove tags from {n} pictures"], "{n} 枚の画像からタグを外す"],
  tag_count: ["{tag} ({n})", "{tag}（{n}）"],
  no_tags: [["This picture has no tags.", "These pictures have no tags."], "選択した画像にはタグがありません。"],
  choose_one: ["Choose at least one tag.", "タグを 1 つ以上選んでください。"],
  category_title: [["Set the category of {n} picture", "Set the category of {n} pictures"], "{n} 枚の画像のカテゴリーを設定"],
  category_hint: ["Category (leave empty for none)", "カテゴリー（空欄にすると「なし」）"],
  delete_title: [["Delete {n} picture permanently?", "Delete {n} pictures permanently?"], "{n} 枚の画像を完全に削除しますか？"],
  delete_text: ["This cannot be undone.", "この操作は元に戻せません。"],
  changing: [["Changing {n} picture…", "Changing {n} pictures…"], "{n} 枚を変更しています…"],
  changed: [["Changed {n} picture", "Changed {n} pictures"], "{n} 枚を変更しました"],
  undone: [["Undid the change to {n} picture", "Undid the changes to {n} pictures"], "{n} 枚の変更を元に戻しました"],
  trashed_many: [["Moved {n} picture to the trash", "Moved {n} pictures to the trash"], "{n} 枚をごみ箱に移動しました"],
  deleted_many: [["Deleted {n} picture permanently", "Deleted {n} pictures permanently"], "{n} 枚を完全に削除しました"],
  restored_many: [["Restored {n} picture", "Restored {n} pictures"], "{n} 枚を元に戻しました"],
  said_undo: ["{text} Press Ctrl+Z to undo.", "{text}Ctrl+Z で元に戻せます。"],
  full_stop: [".", "。"],
  done_partly: ["{text}. {partly}", "{text}。{partly}"],
  partly: [["{n} of {all} pictures was not changed. {problem}", "{n} of {all} pictures were not changed. {problem}"], "{all} 枚中 {n} 枚は変更できませんでした。{problem}"],

  trash_close: ["Back to the gallery", "ギャラリーに戻る"],
  trash_kept: [["Pictures stay here for {n} day.", "Pictures stay here for {n} days."], "画像は {n} 日間ここに残ります。"],
  trash_select: ["Select pictures to restore them.", "画像を選ぶと、元に戻せます。"],
  trash_title: ["The trash is empty", "ごみ箱は空です"],
  trash_text: ["Deleted pictures appear here.", "削除した画像がここに入ります。"],
  trash_action: ["Back to the gallery", "ギャラリーに戻る"],
  trashed_at: ["In the trash since {time}", "{time} にごみ箱に移動"],
  purge_at: ["Deleted permanently after {time}", "{time} 以降に完全に削除"],

  history: ["History", "履歴"],
  history_none: ["No changes are recorded.", "記録はありません。"],
  older: ["Show older changes", "以前の履歴を表示"],
  change_uploaded: ["Uploaded", "アップロード"],
  change_changed: ["Changed", "変更"],
  change_analyzed: ["Analyzed", "解析"],
  change_trashed: ["Moved to the trash", "ごみ箱に移動"],
  change_restored: ["Restored", "復元"],
  change_deleted: ["Deleted permanently", "完全に削除"],
  change_links_revoked: ["Links revoked", "リンクを無効化"],
  by_root: ["by the root key", "ルートキーによる操作"],
  by_service: ["by the service", "システムによる操作"],
  by_this_key: ["by this key", "このキーによる操作"],
  by_key: ["by the key …{key}", "キー …{key} による操作"],
  empty_value: ["(empty)", "（空）"],

  key_title: ["Enter your API key", "API キーを入力"],
  key_where: [
    "On your own computer, “make run” prints the key. Otherwise, ask the operator of this service.",
    "自分のコンピューターでは「make run」がキーを表示します。それ以外は、このサービスの管理者に問い合わせてください。",
  ],
  key_text: ["The key stays in this tab until you close it.", "キーはこのタブだけに保存され、タブを閉じると消えます。"],
  key_label: ["API key", "API キー"],
  key_use: ["Continue", "続ける"],

  other_key: ["Use another key", "別のキーを使う"],
  "scope_images:read": ["This key cannot view pictures.", "このキーでは画像を見られません。"],
  "scope_images:write": ["This key cannot add or change pictures.", "このキーでは画像を追加・変更できません。"],
  "scope_images:delete": ["This key cannot delete pictures permanently.", "このキーでは画像を完全に削除できません。"],

  // By the codes of openapi.json that this page meets. For other codes, the page shows the server's message.
  error_api_key_invalid: [
    "The server does not accept this key. Check it, or enter another key.",
    "このキーは使えません。入力し直すか、別のキーを入力してください。",
  ],
  reason_expired: ["This key has expired. Enter another key.", "このキーは有効期限が切れています。別のキーを入力してください。"],
  reason_revoked: ["This key was revoked. Enter another key.", "このキーは無効化されています。別のキーを入力してください。"],
  error_api_key_suspended: [
    "This key is suspended because the database was restored. Ask the operator to confirm the key.",
    "データベースが復元されたため、このキーは停止中です。管理者に確認を依頼してください。",
  ],
  error_scope_missing: ["This key lacks the scope {scope}. Use another key.", "このキーには {scope} の権限がありません。別のキーを使ってください。"],
  error_image_not_found: ["This picture no longer exists.", "この画像はもうありません。"],
  picture_trashed: ["This picture is in the trash. Restore it first.", "この画像はごみ箱にあります。先に元に戻してください。"],
  error_image_not_trashed: ["This picture is not in the trash.", "この画像はごみ箱にありません。"],
  error_image_trash_pending: ["This picture is still being moved. Try again in a moment.", "この画像はまだ移動中です。少し待ってから再試行してください。"],
  error_upload_in_progress: ["This picture is still being processed. Try again in a moment.", "この画像はまだ処理中です。少し待ってから再試行してください。"],
  error_upload_interrupted: ["The upload was interrupted. Try again.", "アップロードが中断されました。再試行してください。"],
  error_upload_not_arrived: ["The file did not reach the image storage. Try again.", "ファイルが画像ストレージに届いていません。再試行してください。"],
  error_upload_not_found: ["The server no longer has this upload. Choose the file again.", "このアップロードはもうありません。ファイルを選び直してください。"],
  error_idempotency_key_reused: ["The file has changed since the upload began. Choose it again.", "アップロード中にファイルが変更されました。選び直してください。"],
  error_payload_too_large: ["The file is too large. Choose a smaller one.", "ファイルが大きすぎます。小さいファイルを選んでください。"],
  limit_payload_too_large: ["The file is larger than {max_bytes}. Choose a smaller one.", "ファイルが {max_bytes} を超えています。小さいファイルを選んでください。"],
  error_unsupported_image_type: [
    "The file is not a picture of a supported type (JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP or TIFF). Choose another file.",
    "対応していない形式です（JPEG、PNG、GIF、WebP、AVIF、HEIC、BMP、TIFF に対応）。別のファイルを選んでください。",
  ],
  error_parameter_invalid: ["The server does not accept this value of “{field}”. Change it.", "「{field}」のこの値は使えません。変更してください。"],
  error_field_invalid: ["The server does not accept this value of “{field}”. Change it.", "「{field}」のこの値は使えません。変更してください。"],
  reason_too_long: ["“{field}” is longer than {max} characters. Shorten it.", "「{field}」は {max} 文字までです。短くしてください。"],
  reason_too_long_tags: ["A tag is longer than {max} characters. Shorten it.", "タグは 1 つ {max} 文字までです。短くしてください。"],
  reason_too_many_tags: ["There are more than {max} tags. Remove some.", "タグは {max} 個までです。減らしてください。"],
  reason_too_many_q: ["The search has more than {max} words. Remove some.", "検索できるのは {max} 語までです。減らしてください。"],
  reason_characters: ["“{field}” contains an invisible control character. Remove it.", "「{field}」に見えない制御文字が含まれています。取り除いてください。"],
  reason_value_image_file: ["The file is empty. Choose another one.", "ファイルが空です。別のファイルを選んでください。"],
  error_image_corrupt: ["The picture is damaged or incomplete. Choose another file.", "画像が壊れているか、不完全です。別のファイルを選んでください。"],
  error_image_too_complex: ["The picture needs too much memory or time to decode. Choose a smaller one.", "画像の読み込みに必要なメモリまたは時間が多すぎます。小さい画像を選んでください。"],
  error_too_many_pixels: ["The picture has too many pixels. Choose a smaller one.", "画素数が多すぎます。小さい画像を選んでください。"],
  limit_too_many_pixels: [
    "The picture has too many pixels. The limit is {max_pixels} in all, and {max_side} on a side.",
    "画素数が多すぎます。上限は合計 {max_pixels} 画素、1 辺 {max_side} 画素です。",
  ],
  error_too_many_frames: ["The animation is too long. Choose a shorter one.", "アニメーションが長すぎます。短いものを選んでください。"],
  limit_too_many_frames: [
    "The animation is too long. The limit is {max_frames} frames, and {max_pixels} pixels in all.",
    "アニメーションが長すぎます。上限は {max_frames} フレーム、合計 {max_pixels} 画素です。",
  ],
  error_too_many_to_sort: [
    "This order works for up to {max} pictures, so the newest come first.",
    "この並び順で表示できるのは {max} 枚までのため、新しい順に表示しています。",
  ],
  error_throttled: ["Too many requests. Wait a moment, then try again.", "リクエストが多すぎます。少し待ってから再試行してください。"],
  error_internal_error: ["Something went wrong on the server. Try again later.", "サーバーでエラーが発生しました。しばらくしてから再試行してください。"],
  error_function_failed: ["Something went wrong on the server. Try again later.", "サーバーでエラーが発生しました。しばらくしてから再試行してください。"],
  error_service_misconfigured: ["The settings of the server are wrong. Tell its operator: {message}", "サーバーの設定に誤りがあります。管理者に知らせてください：{message}"],
  error_maintenance: ["The service is down for maintenance. Try again later.", "メンテナンス中です。しばらくしてから再試行してください。"],
  error_database_unavailable: ["The database is not responding. Try again in a moment.", "データベースが応答しません。少し待ってから再試行してください。"],
  error_storage_unavailable: ["The image storage is not responding. Try again in a moment.", "画像ストレージが応答しません。少し待ってから再試行してください。"],
  error_batch_interrupted: ["The server ran out of time. Try again.", "サーバーの処理時間が足りませんでした。再試行してください。"],
  error_function_timed_out: ["The server took too long. Try again.", "サーバーの応答に時間がかかりすぎました。再試行してください。"],

  // Without a response of the API.
  error_outdated: ["The server does not accept this request. Reload the page.", "このリクエストは受け付けられませんでした。ページを再読み込みしてください。"],
  error_unexpected: ["The server returned an error ({status}). Try again later.", "サーバーがエラーを返しました（{status}）。しばらくしてから再試行してください。"],
  error_network: ["The server cannot be reached. Check your connection, then try again.", "サーバーに接続できません。接続を確認してから再試行してください。"],
  error_key_needed: ["This page requires an API key. Enter one to continue.", "API キーが必要です。キーを入力してください。"],
  error_store_refused: ["The image storage refused the file. Try again.", "画像ストレージがファイルを受け付けませんでした。再試行してください。"],
  error_file_gone: [
    "The file cannot be read. It may have been moved or changed. Choose it again.",
    "ファイルを読み込めません。移動または変更された可能性があります。選び直してください。",
  ],
};

const language = navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en";
const isMac = /^(Mac|iP)/.test(navigator.platform);

/** The orders of a list, in the order in which they are offered. */
export const sortOrders = Object.keys(TEXT).filter((name) => name.startsWith("sort_")).map((name) => name.slice(5));

/** The text of this name in the user's language. `n` chooses between singular and plural. */
export function t(name, values = {}) {
  let text = TEXT[name][language === "ja" ? 1 : 0];
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  if (isMac) text = text.replace("Ctrl+", "⌘");
  return text.replace(/\{(\w+)\}/g, (_, key) => (typeof values[key] === "number" ? formatNumber(values[key]) : values[key]));
}

export const knows = (name) => Object.hasOwn(TEXT, name);

/** Sentences one after the other; empty ones are left out. */
export const joinSentences = (sentences) => sentences.filter(Boolean).join(language === "ja" ? "" : " ");

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
